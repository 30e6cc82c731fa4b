import type { Argv } from '../host/host.ts';

/** One program that gets one transaction: all of it takes effect, or (iptables: by table) nothing. */
export interface TrafficStep {
  readonly argv: Argv;
  /** Given on standard input. */
  readonly input: string;
  /** The same as single commands, for a person. */
  readonly changes: readonly string[];
}
