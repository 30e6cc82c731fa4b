import { describe, expect, it } from 'vitest';
import { confirmSuspicion, judgeRemovals, REREAD_MS, type Suspicion } from '../../src/agent/removals.ts';
import type { Entry, Operation } from '../../src/dataplane/entry.ts';

const NONE: Suspicion = { kind: 'none' };
const subnet = (index: number) => `10.244.${index}.0/24`;
const mac = (index: number) => `02:00:00:00:00:0${index}`;

/** What the kernel holds for one peer, all with the same verb. */
function peer(index: number, verb: Operation['verb']): readonly Operation[] {
  const device = 'flannel.1';
  const ip = `10.244.${index}.0`;
  const entries: readonly Entry[] = [
    { kind: 'route', dst: subnet(index), via: ip, device, isOnlink: true, metric: 0 },
    { kind: 'neighbour', device, ip, mac: mac(index), isPermanent: true },
    { kind: 'fdb', device, mac: mac(index), dst: `192.168.9.${index}`, isPermanent: true },
  ];
  return entries.map((entry) => ({ verb, entry, subject: 'node' }));
}

function judge(verbs: readonly Operation['verb'][], more: Partial<Parameters<typeof judgeRemovals>[0]> = {}) {
  const plan = { operations: verbs.flatMap((verb, index) => peer(index + 1, verb)) };
  return judgeRemovals({ plan, suspicion: NONE, deleted: [], isRewound: false, now: 0, ...more });
}

const deletions = ({ plan }: ReturnType<typeof judge>) =>
  plan.operations.filter(({ verb }) => verb === 'delete').length;

describe('a plan that lets peers go', () => {
  it('is carried out when half of them stay', () => {
    expect(deletions(judge(['keep', 'keep', 'delete', 'delete']))).toBe(6);
  });

  it('is held back when more than half would go, and the list is read again after 30 s', () => {
    const verdict = judge(['keep', 'delete', 'delete']);
    expect([deletions(verdict), verdict.suspicion]).toEqual([
      0,
      { kind: 'waiting', rereadAt: REREAD_MS, subnets: [subnet(2), subnet(3)] },
    ]);
  });

  it('is held back when the only peer would go without an event', () => {
    expect(deletions(judge(['delete']))).toBe(0);
  });

  it('follows a single delete event at once, even of the only peer', () => {
    expect(deletions(judge(['delete'], { deleted: [[subnet(1)]] }))).toBe(3);
  });

  it('does not follow a burst of delete events that leaves less than half', () => {
    expect(deletions(judge(['delete', 'delete'], { deleted: [[subnet(1)], [subnet(2)]] }))).toBe(0);
  });

  it('follows the deletion of a lease with a subnet of each family at once', () => {
    expect(deletions(judge(['delete', 'delete'], { deleted: [[subnet(1), subnet(2)]] }))).toBe(6);
  });

  it('does not take the last of many that were deleted together for a single one, when the others are back', () => {
    expect(deletions(judge(['keep', 'delete'], { deleted: [[subnet(1)], [subnet(2)]] }))).toBe(0);
    const { suspicion } = judge(['delete', 'delete'], { deleted: [[subnet(1)], [subnet(2)]] });
    expect(deletions(judge(['keep', 'delete'], { suspicion, now: 5 }))).toBe(0);
  });

  it('lets not even one of many go at the word of a store that went back in time', () => {
    const verdict = judge(['keep', 'keep', 'keep', 'delete'], { isRewound: true });
    expect([deletions(verdict), verdict.heldBack]).toEqual([0, [subnet(4)]]);
    const { suspicion } = verdict;
    expect(deletions(judge(['keep', 'keep', 'keep', 'delete'], { suspicion, now: 5 }))).toBe(0);
    expect(judge(['keep', 'keep', 'keep', 'keep'], { suspicion, now: 5 }).suspicion).toEqual(NONE);
  });

  it('is no longer suspicious when the peers are back in the list', () => {
    const suspicion: Suspicion = { kind: 'waiting', rereadAt: 5, subnets: [subnet(1)] };
    expect(judge(['keep', 'keep'], { suspicion }).suspicion).toEqual(NONE);
  });

  it('still removes other things of nobody while peers are held back', () => {
    const stale: Operation = {
      verb: 'delete',
      entry: { kind: 'fdb', device: 'flannel.1', mac: '02:00:00:00:00:77', dst: '192.168.9.77', isPermanent: true },
      subject: 'node',
    };
    const plan = { operations: [...peer(1, 'delete'), stale] };
    expect(deletions(judgeRemovals({ plan, suspicion: NONE, deleted: [], isRewound: false, now: 0 }))).toBe(1);
  });

  it('lets go whom the second reading did not name and who did not answer', () => {
    const suspicion = confirmSuspicion([subnet(1), subnet(2)], [subnet(2)], () => 1000);
    const verdict = judge(['delete', 'delete'], { suspicion });
    expect([deletions(verdict), verdict.heldBack]).toEqual([3, [subnet(2)]]);
  });

  it('keeps who answers only until the lease would have ended', () => {
    const suspicion = confirmSuspicion([subnet(1)], [subnet(1)], () => 1000);
    expect(deletions(judge(['delete'], { suspicion, now: 1001 }))).toBe(3);
  });

  it('is suspicious anew of a second sudden loss', () => {
    const suspicion = confirmSuspicion([subnet(1)], [subnet(1)], () => 1000);
    const verdict = judge(['delete', 'delete', 'delete'], { suspicion });
    expect([deletions(verdict), verdict.suspicion.kind]).toEqual([0, 'waiting']);
  });
});
