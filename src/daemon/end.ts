import type { Assembly } from './assembly.ts';

/** Takes no more requests, lets those under way end for `patienceMs`, and files what waits. */
export async function end(daemon: Assembly, patienceMs: number): Promise<void> {
  const late = new AbortController();
  const timer = daemon.options.clock.timer(patienceMs, () => {
    late.abort();
  });
  daemon.ending.abort();
  try {
    await endServing(daemon, late.signal);
  } finally {
    timer.cancel();
    daemon.stopTelling();
    daemon.latencies.stop();
    daemon.metrics.close();
    await daemon.audit.flush();
  }
}

/** All of it is over before a failure of one is told: what the others did belongs into the audit. */
async function endServing(
  { webhooks, ownSocket, ports, options }: Assembly,
  late: AbortSignal,
): Promise<void> {
  const listeners = [ownSocket, ...(await ports.listeners())];
  const ends = await Promise.allSettled([
    webhooks.close(late),
    ...listeners.map((listener) => listener.close(late)),
  ]);
  await options.streaming.close();
  for (const each of ends) if (each.status === 'rejected') throw each.reason;
}
