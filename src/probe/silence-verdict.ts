import type { Sentence } from './sentence.ts';

/** A way to ask an owner. What is silent one way says nothing of another. */
export type Way = 'underlay-4' | 'underlay-6' | 'vxlan-4' | 'vxlan-6';

/** What came of asking one address one way. */
export type Asked = { readonly way: Way; readonly address: string } & AskedResult;

export type AskedResult =
  | { readonly result: 'answered' }
  | { readonly result: 'silent' }
  /** It could not be asked, or a refusal came from somebody else: says nothing of the owner. */
  | { readonly result: 'unknown'; readonly because: Sentence };

/** Whether the owner of a lease is there, as measured from this host. */
export interface Silence {
  readonly verdict: 'answers' | 'silent' | 'unknown';
  readonly because: Sentence;
}

/**
 * Silent is who was asked on the underlay and on vxlan, each way in which somebody else answered in the same run, and gave no answer at all.
 * Whatever is less than that is unknown.
 */
export function judgeSilence(asked: readonly Asked[], controlled: ReadonlySet<Way>): Silence {
  const answer = asked.find(({ result }) => result === 'answered');
  if (answer !== undefined) return { verdict: 'answers', because: answers(answer) };
  const unknown = asked.find((one) => one.result === 'unknown');
  if (unknown?.result === 'unknown') return { verdict: 'unknown', because: unknown.because };
  const missing = missingWay(asked);
  if (missing !== undefined) return { verdict: 'unknown', because: missing };
  const unproved = asked.find(({ way }) => !controlled.has(way));
  if (unproved !== undefined) return { verdict: 'unknown', because: nobodyAnswers(unproved) };
  return { verdict: 'silent', because: silent(asked) };
}

/** The ways in which at least one of those who should answer did. */
export function controlledWays(asked: readonly Asked[]): ReadonlySet<Way> {
  return new Set(asked.flatMap(({ way, result }) => (result === 'answered' ? [way] : [])));
}

function missingWay(asked: readonly Asked[]): Sentence | undefined {
  const isAsked = (layer: 'underlay' | 'vxlan') => asked.some(({ way }) => way.startsWith(layer));
  if (!isAsked('underlay')) return { en: 'the lease has no public IP to ask', zh: '租约中没有可探测的公网 IP' };
  if (!isAsked('vxlan'))
    return { en: 'the lease has no VTEP to ask over vxlan', zh: '租约中没有可经 vxlan 探测的 VTEP' };
  return undefined;
}

function answers({ way, address }: Asked): Sentence {
  return way.startsWith('vxlan')
    ? { en: `${address} answers over vxlan`, zh: `${address} 经 vxlan 有应答` }
    : { en: `${address} answers on the underlay`, zh: `${address} 在底层网络上有应答` };
}

function nobodyAnswers({ way }: Asked): Sentence {
  const family = way.endsWith('6') ? 'IPv6' : 'IPv4';
  return way.startsWith('vxlan')
    ? {
        en: `no owner of a fresh lease answers over vxlan from here (${family}), so silence proves nothing`,
        zh: `从本机经 vxlan 探测，没有任何新近续约的节点应答（${family}），因此沉默不能说明问题`,
      }
    : {
        en: `no owner of a fresh lease answers on the underlay from here (${family}), so silence proves nothing`,
        zh: `从本机在底层网络上探测，没有任何新近续约的节点应答（${family}），因此沉默不能说明问题`,
      };
}

function silent(asked: readonly Asked[]): Sentence {
  const list = asked.map(({ address }) => address).join(', ');
  return {
    en: `the owner is silent on the underlay and on vxlan (${list}) while others answer`,
    zh: `节点在底层网络和 vxlan 上均无应答（${list}），而其他节点有应答`,
  };
}
