/** ID and VERSION_ID as one text, `debian 12`; `linux` where neither is given (os-release(5)). */
export function parseOsRelease(text: string): string {
  const id = fieldOf(text, 'ID') ?? 'linux';
  const version = fieldOf(text, 'VERSION_ID');
  return version === undefined ? id : `${id} ${version}`;
}

function fieldOf(text: string, name: string): string | undefined {
  const value = new RegExp(`^${name}=(["']?)([\\w.+~-]*)\\1\\s*$`, 'm').exec(text)?.[2];
  return value === '' ? undefined : value;
}
