/** What stands in the place of a secret. */
export const MASK = '[masked]';

/** Names of flags and variables whose value is a secret, as flanneld, k3s, rke2, etcd and kubelet spell them. */
const SECRET_NAME =
  /pass(word|wd|phrase)?$|secret|token$|psk$|private.?key|encryption.?key|client.?key.?data$|credential/i;
/** k3s and rke2: `-t` is `--token` (only there; `-t` is harmless elsewhere). */
const K3S_PROGRAM = /(^|\/)(k3s|rke2)(-server|-agent)?( |$)/;

/** A command line with the values of secret flags and the passwords in URLs masked. */
export function maskArguments(argv: readonly string[]): readonly string[] {
  const isK3s = K3S_PROGRAM.test(argv[0] ?? '');
  const isSecretFlag = (word: string) =>
    (isK3s && word === '-t') || (/^--?[a-z]/i.test(word) && isSecretName(word.replace(/^--?/, '')));
  return argv.map((word, index) => {
    const [flag = '', ...value] = word.split('=');
    if (value.length > 0 && isSecretFlag(flag)) return `${flag}=${MASK}`;
    if (index > 0 && isSecretFlag(argv[index - 1] ?? '') && !word.startsWith('-')) return MASK;
    return maskUrls(word);
  });
}

/** True for `etcd-password`, `FLANNELD_ETCD_PASSWORD`, `agent-token`; false for `token-file`, whose value is a path. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !/file$|path$|dir$/i.test(name);
}

/** `https://user:secret@host` without the secret. */
export function maskUrls(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*):[^\s/@]+@/gi, `$1:${MASK}@`);
}

/**
 * Text of any file or program with what looks like a secret masked: private keys, tokens and passwords in unit files, YAML, JSON,
 * command lines and logs (flanneld prints its etcd password when it starts).
 */
export function maskText(text: string): string {
  return maskUrls(text)
    .replace(/(-----BEGIN [A-Z ]*PRIVATE KEY-----)[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, `$1\n${MASK}\n$2`)
    .replace(ASSIGNMENT, maskAssignment)
    .replace(JSON_WEB_TOKEN, MASK)
    .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/g, `$1 ${MASK}`);
}

/**
 * NAME=value, name: value, "name": "value", name:value of Go's %v, --name value; only names that may be a secret's, so that the
 * second of `Environment=PASSWORD=x` is seen.
 */
const ASSIGNMENT =
  /([\w.-]*(?:pass|secret|token|psk|key|credential)[\w.-]*)("?[ \t]*[:=][ \t]*|(?<=--?[\w-]+)[ \t]+(?!-))("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s"',;}&]*)/gi;

function maskAssignment(whole: string, ...[name = '', between = '', value = '']: string[]): string {
  return isSecretName(name) && value !== '' ? `${name}${between}${keepQuotes(value)}` : whole;
}

/** Base64 of `{"` begins every part but the last. */
const JSON_WEB_TOKEN = /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+/g;

function keepQuotes(value: string): string {
  const quote = /^["']/.exec(value)?.[0] ?? '';
  return `${quote}${MASK}${quote}`;
}
