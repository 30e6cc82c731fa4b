import * as v from 'valibot';
import type { FlannelOptions } from '../net/flannel-options.ts';

const text = v.pipe(v.string(), v.maxLength(4096));

const schema = v.object({
  iface: v.array(text),
  ifaceRegex: v.array(text),
  ifaceCanReach: text,
  publicIp: text,
  publicIpv6: text,
  subnetFile: text,
  ipMasq: v.boolean(),
  ipMasqFullyRandomDisable: v.boolean(),
  iptablesForwardRules: v.boolean(),
  ipBlackholeRoute: v.boolean(),
});

/** What of its flags decides how the agent leaves the node: `status` and `down` need not be told it again. */
export type Told = Pick<FlannelOptions, keyof v.InferOutput<typeof schema>>;

export function toldOf(options: FlannelOptions): Told {
  return v.parse(schema, options);
}

/** `undefined`: nobody said, or another version of the agent, which did not say it. */
export function parseTold(value: unknown): Told | undefined {
  const parsed = v.safeParse(schema, value);
  return parsed.success ? parsed.output : undefined;
}
