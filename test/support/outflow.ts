import { MessageError } from '../../src/errors.ts';
import { Delivery } from '../../src/server/delivery.ts';
import type { Link } from '../../src/server/link.ts';
import { MemoryStore } from '../../src/server/memory-store.ts';
import type { MessageOptions } from '../../src/server/message.ts';
import { outbound } from '../../src/server/outbound.ts';
import { Outflow } from '../../src/server/outflow.ts';
import { Ownership } from '../../src/server/ownership.ts';
import type { Receipt } from '../../src/server/receipt.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { CLIENT_LIMITS } from './wire-client.ts';

/** A way out over a store in memory, as a server has it. */
export async function startOutflow({ maxMessages = 100, maxBytes = 10_000, bufferedBytes = 5_000 } = {}) {
  const clock = new SimulatedClock();
  const store = new MemoryStore({ clock, maxMessages, maxBytes });
  const wish = { sid: 's', ep: 'e', tokenHash: 'h', principal: 'ann', nonce: 'n', node: 'a', ttlMs: 1_000 };
  await store.open(wish);
  const told: string[] = [];
  const faults: unknown[] = [];
  const sent: unknown[] = [];
  const link = {
    isOpen: true,
    bufferedBytes: 0,
    limits: CLIENT_LIMITS,
    sendBatch: (frame: unknown) => sent.push(frame),
    batch: (write: () => void) => {
      write();
    },
  };
  const shared = { sid: 's', clock, store, ownership: new Ownership(1, (why) => told.push(why)) };
  const fault = (cause: unknown): void => void faults.push(cause);
  const delivery = new Delivery(
    {
      ...shared,
      fault,
      tellAccepted: () => 0,
      caughtUp: () => told.push('caught up'),
      broken: (cause) => told.push(cause.message),
    },
    { top: 0, acknowledged: 0 },
  );
  const outflow = new Outflow({
    ...shared,
    fault,
    delivery,
    bufferedBytes,
    overflowed: () => told.push('overflowed'),
    tooSlow: () => told.push('too slow'),
  });
  const attach = (received = 0): void => {
    outflow.attach(link as unknown as Link, { received, top: delivery.top });
    delivery.pump();
  };
  const settle = (): Promise<void> => clock.advanceAsync(0);
  let flooded = 0;
  /** Sends one message a turn. @returns The receipt of the last. */
  const flood = async (turns: number, options: MessageOptions = {}): Promise<Receipt> => {
    const receipt = outflow.send(outbound(++flooded, options));
    await settle();
    return turns > 1 ? flood(turns - 1, options) : receipt;
  };
  return { ...shared, link, delivery, outflow, attach, settle, flood, told, faults, sent, wish };
}

/** How it settled: `settled`, or the code and the outcome of the error. */
export const codeOf = (promise: Promise<void>): Promise<string> =>
  promise.then(
    () => 'settled',
    (error: unknown) => (error instanceof MessageError ? `${error.code} ${error.outcome}` : String(error)),
  );
