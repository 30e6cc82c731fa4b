/** What came back of a few ICMP echo requests. */
export interface EchoOutcome {
  readonly sent: number;
  readonly received: number;
  /** Fastest answer; `null`: none came. */
  readonly rttMs: number | null;
  /** A local refusal that says nothing of the peer: `Network is unreachable`, `Operation not permitted`; `null`: the packets left. */
  readonly localError: string | null;
}
