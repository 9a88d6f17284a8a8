import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { OVERFLOW_POLICIES } from '../src/backlog.ts';
import { PRIORITIES } from '../src/core/queue.ts';
import type { OutboxCounts } from '../src/fates.ts';
import type { Receipt, SendOptions } from '../src/receipt.ts';
import { Line, OutboxRig } from './support/outbox.ts';
import { fateOf, rig, TERMINAL, type Fate } from './support/service.ts';

function expectBalance({ accepted, sent, dropped, droppedBy, unknown, waiting }: OutboxCounts): void {
  expect(accepted).toBe(sent + dropped + unknown + waiting);
  expect(Object.values(droppedBy).reduce((sum, count) => sum + count, 0)).toBe(dropped);
}

/** A message as the test remembers it: its text tells its lane and its place, and so whether order was kept. */
interface Given {
  receipt: Receipt;
  text: string;
  lane: string;
  keyed: boolean;
  expiresAt: number;
  /** Its place in the order of sending: its own, or that of the waiting message which it took the place of. */
  place: number;
  /** Whether that place may be before what has left already: a keyed message, which is sent again, had it. */
  isAhead: boolean;
}

const sending = fc.record({
  kind: fc.constant('send' as const),
  priority: fc.constantFrom(...PRIORITIES),
  ttlMs: fc.constantFrom(undefined, undefined, 5, 50),
  coalesceKey: fc.constantFrom(undefined, undefined, undefined, 'k'),
  keyed: fc.boolean(),
  size: fc.nat(20),
});
const deed = fc.oneof(
  { weight: 8, arbitrary: sending },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('cancel' as const, 'abort' as const), at: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('drain' as const), bytes: fc.nat(60) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('pass' as const, 'sleep' as const), ms: fc.nat(40) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('turn', 'attach', 'lose', 'stall', 'jam', 'pause', 'resume', 'purge', 'refuse', 'open'),
    }),
  },
);
type Deed = typeof deed extends fc.Arbitrary<infer Of> ? Of : never;

/** An outbox to which chance does things, and what its messages should have become. */
class Trial {
  readonly rig: OutboxRig;
  readonly given: Given[] = [];
  /** What each line saw, and when. */
  readonly wire: { text: string; at: number }[] = [];
  line: Line | undefined;
  #stalls = false;
  #jams = false;
  #aborts: AbortController[] = [];

  constructor(overflow: (typeof OVERFLOW_POLICIES)[number]) {
    this.rig = new OutboxRig({
      limits: { overflow, maxMessages: 6, maxBytes: 90, highWaterBytes: 40, lowWaterBytes: 10, maxBatchMessages: 3 },
    });
  }

  async does(step: Deed): Promise<void> {
    switch (step.kind) {
      case 'send': {
        this.#send(step);
        return;
      }
      case 'cancel':
        return void this.given[step.at % (this.given.length || 1)]?.receipt.cancel();
      case 'abort':
        return this.#aborts[step.at % (this.#aborts.length || 1)]?.abort();
      case 'drain':
        return this.line?.drains(step.bytes);
      case 'pass':
        return this.rig.turn(step.ms);
      case 'sleep': {
        this.rig.clock.sleep(step.ms);
        return;
      }
      default:
        return this.#command(step.kind);
    }
  }

  async #command(kind: string): Promise<void> {
    const { rig: r } = this;
    if (kind === 'attach' && !this.line) this.#attach();
    else if (kind === 'lose') this.lose();
    else if (kind === 'stall' && this.line) this.line.holds = this.#stalls = !this.#stalls;
    else if (kind === 'jam') this.#jams = !this.#jams;
    else if (kind === 'pause' || kind === 'resume') r.tell(kind);
    else if (kind === 'purge') r.outbox.purge(({ bytes }) => bytes % 2 === 0);
    else if (kind === 'refuse') r.outbox.refuse('CONNECTION_ENDED');
    else if (kind === 'open') r.outbox.open();
    await r.turn();
  }

  lose(): void {
    if (this.line) this.rig.lose();
    this.line = undefined;
  }

  #attach(): void {
    const line = new Line();
    line.holds = this.#stalls;
    line.onSend = (data) => {
      if (this.#jams) throw new Error('jam');
      this.wire.push({ text: data as string, at: this.rig.clock.now() });
    };
    this.line = this.rig.attach(line);
  }

  #send({ priority, ttlMs, coalesceKey, keyed, size }: Extract<Deed, { kind: 'send' }>): void {
    const text = `${this.given.length}${'.'.repeat(size)}`;
    const controller = new AbortController();
    this.#aborts.push(controller);
    const options: SendOptions = {
      priority,
      signal: controller.signal,
      ...(ttlMs !== undefined && { ttlMs }),
      ...(coalesceKey !== undefined && { coalesceKey }),
      ...(keyed && { idempotencyKey: text }),
    };
    const expiresAt = ttlMs === undefined ? Infinity : this.rig.clock.now() + ttlMs;
    const before = this.#queued();
    const receipt = this.rig.push(text, options);
    const after = this.#queued();
    const at = after.indexOf(receipt.id);
    const replaced = this.given.find((older) => older.receipt.id === before[at] && older.lane === priority);
    const isInPlace = replaced && after.every((id, index) => index === at || id === before[index]);
    const heir = isInPlace && after.length === before.length ? replaced : undefined;
    // what a critical message took the place of is not seen where that leaves at once
    const { place = this.given.length, isAhead = coalesceKey !== undefined && at < 0 } = heir ?? {};
    this.given.push({ receipt, text, lane: priority, keyed, expiresAt, place, isAhead: keyed || isAhead });
  }

  #queued(): string[] {
    return this.rig.outbox.inspect().map(({ id }) => id);
  }
}

describe('every message given to the outbox', () => {
  test('has one fate, told alike by receipt, event and counters, whatever happens to it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...OVERFLOW_POLICIES),
        fc.array(deed, { maxLength: 60, size: 'max' }),
        async (overflow, deeds) => {
          const trial = new Trial(overflow);
          const { outbox } = trial.rig;
          for (const step of deeds) {
            await trial.does(step);
            const { counts } = outbox;
            expectBalance(counts);
            expect(counts.accepted + counts.refused).toBe(trial.given.length);
            const still = trial.given.filter(({ receipt }) => ['waiting', 'handed'].includes(receipt.fate));
            expect(counts.waiting).toBe(still.length);
          }
          const settled = trial.given.map(({ receipt }) => fateOf(receipt.settled));
          outbox.close('SERVICE_DESTROYED');
          trial.lose();
          await trial.rig.turn(1_000);

          const fates = trial.given.map(({ receipt }) => receipt.fate);
          const { counts } = outbox;
          expect(counts).toMatchObject({ waiting: 0, waitingBytes: 0, sent: of(fates, 'sent') });
          expect([of(fates, 'unknown'), of(fates, 'dropped')]).toEqual([
            counts.unknown,
            counts.dropped + counts.refused,
          ]);
          expect(settled.map(({ kind }) => kind)).toEqual(
            fates.map((fate) => (fate === 'sent' ? 'resolved' : 'rejected')),
          );
          expect(trial.rig.undelivered.map(([id]) => id).sort()).toEqual(
            trial.given.flatMap(({ receipt }) => (receipt.fate === 'sent' ? [] : [receipt.id])).sort(),
          );
          expect(trial.rig.clock.pending()).toBe(0);
          expectHonestWire(trial);
        },
      ),
      { numRuns: 400 },
    );
  }, 60_000);

  test('keeps its balance through the whole life of a connection', async () => {
    const life = fc.oneof(
      { weight: 5, arbitrary: fc.constant('send' as const) },
      { weight: 1, arbitrary: fc.constantFrom('send nonsense' as const, 'request' as const) },
      { weight: 2, arbitrary: fc.constant('cancel' as const) },
      { weight: 3, arbitrary: fc.constant('open' as const) },
      { weight: 2, arbitrary: fc.constantFrom('drop' as const, 'refuse' as const, 'close' as const) },
      { weight: 2, arbitrary: fc.constantFrom('connect' as const, 'hold' as const, 'pass' as const) },
      { weight: 1, arbitrary: fc.constantFrom('pause' as const, 'resume' as const) },
      { weight: 6, arbitrary: fc.constant('settle' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(life, { maxLength: 40, size: 'max' }), async (deeds) => {
        const r = rig({ terminal: { queue: { maxMessages: 4 } } });
        void r.service.connect(TERMINAL);
        const connection = r.service.connection('terminal:one');
        const receipts: Receipt[] = [];
        const fates: Fate<unknown>[] = [];
        const acts: Record<(typeof deeds)[number], () => unknown> = {
          send: () => receipts.push(connection.send(`${receipts.length}`)),
          'send nonsense': () => receipts.push(connection.send(undefined)),
          request: () => connection.request('no reply can be told'),
          cancel: () => receipts.findLast((receipt) => receipt.cancel()),
          open: () => r.sockets.live.at(-1)?.opens(),
          drop: () => r.sockets.live.at(-1)?.ends(1006),
          refuse: () => r.sockets.live.at(-1)?.ends(4403),
          close: () => connection.close(),
          connect: () => connection.connect(),
          hold: () => r.sockets.live.map((socket) => (socket.holds = !socket.holds)),
          pass: () => r.clock.advanceAsync(1_000),
          pause: () => connection.pause(),
          resume: () => connection.resume(),
          settle: () => r.settle(),
        };
        for (const step of deeds) {
          const done = acts[step]();
          if (step === 'settle' || step === 'pass') await done;
          for (const receipt of receipts.slice(fates.length)) fates.push(fateOf(receipt.settled));
          const { messages } = connection.status;
          expectBalance(messages);
          expect(messages.accepted + messages.refused).toBe(receipts.length);
        }
        await r.destroy();
        const { sent, dropped, unknown, waiting, refused } = connection.status.messages;
        expect(waiting).toBe(0);
        expect(fates.filter(({ kind }) => kind === 'resolved')).toHaveLength(sent);
        expect(fates.filter(({ kind }) => kind === 'rejected')).toHaveLength(dropped + unknown + refused);
        // each was handed over at most once, in the order it was given
        const handed = receipts.flatMap(({ fate }, index) => (fate === 'dropped' ? [] : [`${index}`]));
        expect(r.sockets.all.flatMap((socket) => socket.sent)).toEqual(handed);
        expect(r.leftovers().timers).toBe(0);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});

function of(fates: string[], wanted: string): number {
  return fates.filter((fate) => fate === wanted).length;
}

/** What the wire saw: nothing that was dropped, nothing late, nothing twice unless it was keyed, and each lane in order. */
function expectHonestWire({ given, wire }: Trial): void {
  const seen = new Map<string, number>();
  for (const { text, at } of wire) {
    seen.set(text, (seen.get(text) ?? 0) + 1);
    expect(at).toBeLessThan(given[Number.parseInt(text, 10)]?.expiresAt ?? 0);
  }
  for (const { receipt, text, keyed } of given) {
    const times = seen.get(text) ?? 0;
    if (receipt.fate === 'dropped') expect(times).toBe(0);
    if (!keyed) expect(times).toBe(receipt.fate === 'sent' || receipt.fate === 'unknown' ? 1 : 0);
    else if (receipt.fate === 'sent' || receipt.fate === 'unknown') expect(times).toBeGreaterThanOrEqual(1);
  }
  for (const lane of PRIORITIES) {
    const once = wire
      .flatMap(({ text }) => given[Number.parseInt(text, 10)] ?? [])
      .filter((message) => !message.isAhead && message.lane === lane);
    const places = once.map(({ place }) => place);
    expect(places).toEqual([...places].sort((one, other) => one - other));
  }
}
