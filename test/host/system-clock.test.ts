import { expect, it } from 'vitest';
import { systemClock } from '../../src/host/system-clock.ts';

it('sleeps as long as it was told', async () => {
  const startedAt = systemClock.monotonic();
  await systemClock.sleep(40);
  expect(systemClock.monotonic() - startedAt).toBeGreaterThanOrEqual(39);
});

it('wakes up with the reason of its signal', async () => {
  const reason = new Error('enough');
  const controller = new AbortController();
  const sleeping = systemClock.sleep(60_000, controller.signal);
  controller.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
});

it('does not fall asleep when its signal came before', async () => {
  const reason = new Error('enough');
  await expect(systemClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
});

it('holds nothing that keeps the process alive after it was woken', async () => {
  const controller = new AbortController();
  const sleeping = systemClock.sleep(60_000, controller.signal);
  const during = timers();
  controller.abort(new Error('enough'));
  await sleeping.catch((error: unknown) => error);
  expect(timers()).toBe(during - 1);
});

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}
