/** Programs that have to do with flannel. Releases name the file by its architecture: `flanneld-amd64`. */
const PROGRAMS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['flanneld', /^flanneld(-(amd64|arm|arm64|ppc64le|s390x|riscv64|mips64le|386))?$/],
  ['k3s', /^k3s(-server|-agent)?$/],
  ['rke2', /^rke2(-server|-agent)?$/],
  ['kubelet', /^kubelet$/],
  ['containerd', /^containerd$/],
  ['dockerd', /^dockerd$/],
  ['crio', /^crio$/],
  ['flannelctl', /^flannelctl$/],
];

const INTERPRETERS = /^(ba|da|a|z|k)?sh$|^busybox$|^python[\d.]*$|^perl$|^node$/;

/** Which program of interest was started with these arguments; `undefined`: none. */
export function programName(argv: readonly string[]): string | undefined {
  return programNamed(argv[programIndex(argv)] ?? '', argv);
}

/** The same by another name of the process: what the kernel calls it. */
export function programNamed(path: string, argv: readonly string[]): string | undefined {
  const name = knownProgram(path.trimEnd());
  return name === 'flannelctl' && !isAgent(argv) ? undefined : name;
}

/** `flannelctl up` that neither leaves at once nor only shows what it would do. */
export function isAgent(argv: readonly string[]): boolean {
  return argv.includes('up') && !argv.some((word) => /^--(once|dry-run)(=true)?$/.test(word));
}

/** Where in `argv` the program stands: after the interpreter that runs a script, else first. */
export function programIndex(argv: readonly string[]): number {
  if (!INTERPRETERS.test(baseName(argv[0] ?? ''))) return 0;
  const script = argv.findIndex((word, index) => index > 0 && !word.startsWith('-'));
  const isInline = argv.slice(1, script).includes('-c');
  return script > 0 && !isInline && knownProgram(argv[script] ?? '') !== undefined ? script : 0;
}

/** The program that a path or a title names: k3s writes its title over its arguments, `/usr/local/bin/k3s server`. */
export function knownProgram(path: string): string | undefined {
  const base = baseName(path.split(' ')[0] ?? '');
  return PROGRAMS.find(([, pattern]) => pattern.test(base))?.[0];
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
