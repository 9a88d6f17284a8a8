import { setTimeout as sleep } from 'node:timers/promises';

import type { EnhancedWebSocketService } from 'holdfast';
import { costOf } from './cost.ts';
import { NearSocket } from './near-socket.ts';

/** CPU µs of the process, for all connections together. */
export type LifeCosts = Record<'start' | 'recover' | 'stop', number>;

/**
 * Opens so many connections of a service whose sockets have no network, loses all of them at once, waits for them to be open again, and stops the service. `settleMs`: what follows each of that, for so long,
 * belongs to it.
 */
export async function lifeOf(service: EnhancedWebSocketService, connections: number, settleMs = 0): Promise<LifeCosts> {
  let opens = 0;
  service.on('opened', () => {
    opens += 1;
  });
  const start = await costOf(async () => {
    for (let index = 0; index < connections; index++)
      void service.connect({ serviceType: 'main', key: String(index) }).catch(() => undefined);
    while (opens < connections) await sleep(10);
    await sleep(settleMs);
  });
  const recover = await costOf(async () => {
    for (const socket of [...NearSocket.living]) socket.end(1006);
    while (opens < 2 * connections) await sleep(10);
    await sleep(settleMs);
  });
  const stop = await costOf(async () => {
    await service.destroy({ deadlineMs: 60_000 });
    await sleep(settleMs);
  });
  return { start, recover, stop };
}
