import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { Outbox } from '../src/outbox.ts';
import type { Transport, WireData } from '../src/transport/transport.ts';
import { SimulatedClock } from './support/clock.ts';
import { fateOf, microtasks, rig, TERMINAL } from './support/service.ts';

function line(send: (data: WireData) => void): Transport {
  return { send, isOpen: true, ping: null, close: () => undefined, dispose: () => undefined };
}

function outboxOf({ maxMessages = 10, maxBytes = 1_000, queueing = true } = {}): {
  outbox: Outbox;
  wire: WireData[];
  /** Ends the turn: what is due at once fires. */
  turn: () => Promise<void>;
} {
  const clock = new SimulatedClock();
  const outbox = new Outbox({
    clock,
    limits: () => ({ maxMessages, maxBytes }),
    queueing: () => queueing,
    context: { connectionId: 'c', serviceType: 's' },
  });
  return { outbox, wire: [], turn: () => clock.advanceAsync(0) };
}

describe('the outbox', () => {
  test('hands over at the end of the turn, so that what one turn sends leaves together and in order', async () => {
    const { outbox, wire, turn } = outboxOf();
    outbox.attach(line((data) => wire.push(data)));
    outbox.push('a');
    outbox.push('b');
    expect(wire).toEqual([]);
    await turn();
    expect(wire).toEqual(['a', 'b']);
  });

  test('keeps what was given while no transport is attached', async () => {
    const { outbox, wire, turn } = outboxOf();
    outbox.push('a');
    await turn();
    expect([wire, outbox.counts.waiting]).toEqual([[], 1]);
    outbox.attach(line((data) => wire.push(data)));
    await turn();
    expect(wire).toEqual(['a']);
  });

  test('keeps what it was about to hand over when the transport goes within the turn', async () => {
    const { outbox, wire, turn } = outboxOf();
    outbox.attach(line((data) => wire.push(data)));
    outbox.push('a');
    outbox.detach();
    await turn();
    expect([wire, outbox.counts]).toMatchObject([[], { waiting: 1, sent: 0 }]);
  });

  test('hands the first over a turn after the transport came: one that ends at once is trusted with nothing', async () => {
    const { outbox, wire, turn } = outboxOf();
    outbox.push('a');
    outbox.attach(line((data) => wire.push(data)));
    outbox.push('b');
    await microtasks();
    outbox.detach();
    await turn();
    expect([wire, outbox.counts]).toMatchObject([[], { waiting: 2, sent: 0 }]);
    outbox.attach(line((data) => wire.push(data)));
    await turn();
    expect(wire).toEqual(['a', 'b']);
  });

  test('trusts nothing to a transport that is closing: it would be discarded without a word', async () => {
    const { outbox, wire, turn } = outboxOf();
    const transport = { ...line((data) => wire.push(data)), isOpen: true };
    outbox.attach(transport);
    outbox.push('a');
    await turn();
    transport.isOpen = false;
    outbox.push('b');
    await turn();
    expect([wire, outbox.counts]).toMatchObject([['a'], { waiting: 1, sent: 1 }]);
  });

  test('keeps the rest when the transport goes in the middle of a flush', async () => {
    const { outbox, wire, turn } = outboxOf();
    outbox.attach(
      line((data) => {
        wire.push(data);
        outbox.detach();
      }),
    );
    for (const text of ['a', 'b', 'c']) outbox.push(text);
    await turn();
    expect([wire, outbox.counts]).toMatchObject([['a'], { sent: 1, waiting: 2 }]);
  });

  test('goes on with the next when the transport refuses one', async () => {
    const { outbox, wire, turn } = outboxOf();
    const refuse = (data: WireData): void => {
      if (data === 'b') throw new Error('no');
      wire.push(data);
    };
    outbox.attach(line(refuse));
    const fates = ['a', 'b', 'c'].map((text) => fateOf(outbox.push(text).settled));
    await turn();
    expect([wire, fates.map(({ kind }) => kind)]).toEqual([
      ['a', 'c'],
      ['resolved', 'rejected', 'resolved'],
    ]);
  });

  test('closed, drops what waits and refuses what comes, each with an error of its own', async () => {
    const { outbox, turn } = outboxOf();
    const waiting = fateOf(outbox.push('a').settled);
    outbox.close('CONNECTION_ENDED', new Error('why'));
    const late = [fateOf(outbox.push('b').settled), fateOf(outbox.push('c').settled)];
    await turn();
    for (const { error } of [waiting, ...late]) {
      expect(error).toMatchObject({ code: 'CONNECTION_ENDED', connectionId: 'c', cause: { message: 'why' } });
    }
    expect(new Set([waiting.error, ...late.map(({ error }) => error)]).size).toBe(3);
    expect(outbox.counts).toEqual({
      accepted: 1,
      sent: 0,
      dropped: 1,
      droppedBy: { CONNECTION_ENDED: 1 },
      waiting: 0,
      waitingBytes: 0,
      refused: 2,
    });
  });

  test('opened again, takes messages again', async () => {
    const { outbox, wire, turn } = outboxOf();
    outbox.close('CONNECTION_ENDED');
    outbox.open();
    outbox.push('a');
    outbox.attach(line((data) => wire.push(data)));
    await turn();
    expect(wire).toEqual(['a']);
  });

  test('counts drops by their reason', async () => {
    const { outbox, turn } = outboxOf();
    outbox.push('a').cancel();
    outbox.push('b').cancel();
    outbox.push('c');
    outbox.close('SERVICE_DESTROYED');
    await turn();
    expect(outbox.counts.droppedBy).toEqual({ SEND_CANCELLED: 2, SERVICE_DESTROYED: 1 });
  });

  test('gives every message an id of its own, also the refused', () => {
    const { outbox } = outboxOf({ maxMessages: 1 });
    expect(['a', 'b', undefined, 'c'].map((message) => outbox.push(message).id)).toEqual(['m1', 'm2', 'm3', 'm4']);
  });
});

describe('every message', () => {
  const deed = fc.oneof(
    { weight: 5, arbitrary: fc.constant('send' as const) },
    { weight: 1, arbitrary: fc.constant('send nonsense' as const) },
    { weight: 2, arbitrary: fc.constant('cancel' as const) },
    { weight: 3, arbitrary: fc.constant('open' as const) },
    { weight: 2, arbitrary: fc.constantFrom('drop' as const, 'refuse' as const, 'close' as const) },
    { weight: 2, arbitrary: fc.constantFrom('connect' as const, 'jam' as const, 'pass' as const) },
    { weight: 6, arbitrary: fc.constant('settle' as const) },
  );

  test('is accepted or refused, and what is accepted is sent, dropped or waiting, at every moment', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { maxLength: 40 }), async (deeds) => {
        const r = rig({ terminal: { queue: { maxMessages: 4 } } });
        void r.service.connect(TERMINAL);
        const connection = r.service.connection('terminal:one');
        const receipts: ReturnType<typeof connection.send>[] = [];
        const fates: ReturnType<typeof fateOf>[] = [];
        const acts: Record<(typeof deeds)[number], () => unknown> = {
          send: () => receipts.push(connection.send(`${receipts.length}`)),
          'send nonsense': () => receipts.push(connection.send(undefined)),
          cancel: () => receipts.findLast((receipt) => receipt.cancel()),
          open: () => r.sockets.live.at(-1)?.opens(),
          drop: () => r.sockets.live.at(-1)?.ends(1006),
          refuse: () => r.sockets.live.at(-1)?.ends(4403),
          close: () => connection.close(),
          connect: () => connection.connect(),
          jam: () =>
            r.sockets.all.map((socket) => (socket.sendError = socket.sendError ? undefined : new Error('jam'))),
          pass: () => r.clock.advanceAsync(1_000),
          settle: () => r.settle(),
        };
        for (const step of deeds) {
          const done = acts[step]();
          if (step === 'settle' || step === 'pass') await done;
          for (const receipt of receipts.slice(fates.length)) fates.push(fateOf(receipt.settled));
          const { accepted, sent, dropped, waiting, refused, droppedBy } = connection.status.messages;
          expect(accepted).toBe(sent + dropped + waiting);
          expect(accepted + refused).toBe(receipts.length);
          expect(Object.values(droppedBy).reduce((sum, count) => sum + count, 0)).toBe(dropped);
        }
        await r.destroy();
        // at the end each was told one fate, and the wire has seen those that were told so, in order
        const { sent, dropped, waiting, refused } = connection.status.messages;
        expect(waiting).toBe(0);
        expect(fates.filter(({ kind }) => kind === 'resolved')).toHaveLength(sent);
        expect(fates.filter(({ kind }) => kind === 'rejected')).toHaveLength(dropped + refused);
        const told = fates.flatMap(({ kind }, index) => (kind === 'resolved' ? [`${index}`] : []));
        expect(r.sockets.all.flatMap((socket) => socket.sent)).toEqual(told);
      }),
      { numRuns: 100 },
    );
  }, 30_000);
});
