/** An endpoint of etcd taken apart. */
export interface EtcdAddress {
  readonly isSecure: boolean;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
}

/** `undefined` for what names no host and port; etcd's client takes an endpoint without a scheme for plain HTTP. */
export function parseEndpoint(endpoint: string): EtcdAddress | undefined {
  const text = /^[a-z]+:\/\//.test(endpoint) ? endpoint : `http://${endpoint}`;
  // Not http: its default port would be filled in, and left out when it is written.
  const plain = text.replace(/^https?:/, 'etcd:');
  const url = URL.canParse(plain) ? new URL(plain) : undefined;
  if (url === undefined || url.port === '' || url.hostname === '') return undefined;
  return {
    isSecure: text.startsWith('https:'),
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port),
  };
}
