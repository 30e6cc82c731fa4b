import { contains, parseCidr } from '../net/cidr.ts';
import { COMMENT, type FamilyTraffic, MULTICAST } from './traffic-rules.ts';
import { withoutComment } from './traffic-saved.ts';

export interface LeftoverInput {
  readonly purpose: 'masquerade' | 'forward';
  /** Rules of POSTROUTING or FORWARD, in order. */
  readonly rules: readonly string[];
  readonly traffic: FamilyTraffic;
}

/**
 * Rules that flannel up to v0.19 put straight into POSTROUTING and FORWARD. Late releases marked them with flannel's comment; earlier ones
 * did not, and then they count only as the complete set for this very network, and only where its successor is wanted: a single
 * rule of that text may be anybody's.
 */
export function bareLeftovers({ purpose, rules, traffic }: LeftoverInput): readonly string[] {
  const mark = `--comment "${COMMENT[purpose]}"`;
  const isBare = (rule: string) => !/-[jg] FLANNEL-/.test(rule);
  const marked = rules.filter((rule) => rule.includes(mark) && isBare(rule));
  return [...marked, ...unmarkedSet({ purpose, rules, traffic })];
}

function unmarkedSet({ purpose, rules, traffic }: LeftoverInput): readonly string[] {
  if (traffic.network === null || traffic[purpose] === null) return [];
  const forms =
    purpose === 'forward' ? forwardForms(traffic.network) : masqueradeForms(traffic.network, traffic.family);
  const plain = rules.filter((rule) => withoutComment(rule) === rule);
  const found = forms.map((isForm) => plain.filter(isForm));
  return found.every(({ length }) => length > 0) ? found.flat() : [];
}

type Form = (rule: string) => boolean;

function forwardForms(network: string): readonly Form[] {
  return [`-s ${network} -j ACCEPT`, `-d ${network} -j ACCEPT`].map((text) => (rule) => rule === text);
}

function masqueradeForms(network: string, family: FamilyTraffic['family']): readonly Form[] {
  const masquerades = (match: string) => (rule: string) =>
    rule === `${match} -j MASQUERADE` || rule === `${match} -j MASQUERADE --random-fully`;
  return [
    (rule) => rule === `-s ${network} -d ${network} -j RETURN` || rule === `-s ${network} -d ${network} -j ACCEPT`,
    masquerades(`-s ${network} ! -d ${MULTICAST[family]}`),
    (rule) => isSubnetReturn(rule, network),
    masquerades(`! -s ${network} -d ${network}`),
  ];
}

/** The subnet may be one this node had before. */
function isSubnetReturn(rule: string, network: string): boolean {
  const [, source, destination = ''] = /^! -s (\S+) -d (\S+) -j RETURN$/.exec(rule) ?? [];
  const [outer, inner] = [parseCidr(network), parseCidr(destination)];
  return source === network && outer !== undefined && inner !== undefined && contains(outer, inner);
}
