import { describe, expect, test } from 'vitest';

import type { ServerFrame } from '../src/protocol/frames.ts';
import { JsonPayload } from '../src/protocol/profile.ts';
import { writeText } from '../src/protocol/text-frames.ts';
import { toUtf8 } from '../src/protocol/utf8.ts';
import { Reception } from '../src/reception.ts';
import type { Terms } from '../src/session-wire.ts';
import { LIMITS, srvOf, welcomeOf } from './support/server-script.ts';
import { framesOf, messageOf, SessionRig } from './support/session.ts';
import { makeCompression } from './support/compression.ts';

type Said = ServerFrame | string | ArrayBuffer;

/** The way in of a session, and what comes of what the server says. */
class Desk extends SessionRig {
  readonly delivered: unknown[] = [];
  readonly told: unknown[] = [];
  /** Runs with each message, while it is delivered. */
  onDeliver: () => void = () => undefined;
  readonly #terms: Terms;

  constructor(terms: Partial<Terms> = {}) {
    super(terms);
    this.#terms = { limits: LIMITS, own: LIMITS, compression: null, ...terms };
  }

  says(...frames: Said[]): void {
    const reception = new Reception({
      session: this.session,
      wire: this.wire,
      terms: this.#terms,
      deliver: (payload, meta) => {
        const data = payload instanceof JsonPayload ? payload.value : payload;
        this.delivered.push(meta && Object.keys(meta).length > 0 ? [data, meta] : data);
        this.onDeliver();
      },
      acknowledged: (messages) => this.told.push(['acknowledged', ...messages.map(({ data }) => data)]),
      refused: ({ data }, { c }) => this.told.push(['refused', data, c]),
      ponged: ({ i }) => this.told.push(['ponged', i]),
      noticed: ({ t }) => this.told.push(['noticed', t]),
      now: () => 42,
      violated: ({ closeCode }) => this.told.push(['violated', closeCode]),
    });
    for (const frame of frames) {
      const isRaw = typeof frame === 'string' || frame instanceof ArrayBuffer;
      reception.receive(isRaw ? frame : writeText(frame));
    }
  }
}

describe('messages of the server', () => {
  test('are delivered in order with what came beside them, in whatever form they come', () => {
    const d = new Desk();
    d.says(
      '1["a",{"b":1}]',
      { t: 'm', s: 3, b: [{ d: 'c', n: 'kind' }, { d: null }] },
      // position 5, nothing acknowledged, one message without fields, two bytes
      Uint8Array.of(1, 5, 0, 1, 0, 2, 8, 9).buffer,
    );
    expect(d.delivered).toEqual(['a', { b: 1 }, ['c', { n: 'kind' }], null, Uint8Array.of(8, 9).buffer]);
    expect([d.session.incoming.accepted, d.told]).toEqual([5, []]);
  });

  test('of bytes are copies: the frame that brought them is shared by all of them', () => {
    const d = new Desk();
    const frame = Uint8Array.of(1, 1, 0, 2, 0, 1, 8, 0, 1, 9);
    d.says(frame.buffer);
    frame.fill(0);
    expect(d.delivered).toEqual([Uint8Array.of(8).buffer, Uint8Array.of(9).buffer]);
  });

  test('that came before are dropped, and acknowledged at once; what is new among them is taken (trap 6)', () => {
    const d = new Desk();
    d.says('1["a","b"]', '1["a","b"]');
    expect([d.delivered, framesOf(d.line, 'ack')]).toEqual([['a', 'b'], [{ t: 'ack', a: 2 }]]);
    d.says('2["b","c"]', { t: 'm', s: 2, b: [{ d: 'b' }, { d: 'c' }, { d: 'd' }] });
    expect(d.delivered).toEqual(['a', 'b', 'c', 'd']);
    d.says(Uint8Array.of(1, 4, 0, 2, 0, 1, 7, 0, 1, 9).buffer);
    expect(d.delivered.at(-1)).toEqual(Uint8Array.of(9).buffer);
    expect(d.session.incoming.accepted).toBe(5);
  });

  test('past a gap are not taken, and break it off with 4201', () => {
    const d = new Desk();
    d.says('1["a"]', '3["c"]');
    expect([d.delivered, d.told, d.session.incoming.accepted]).toEqual([['a'], [['violated', 4201]], 1]);
  });

  test('are not acknowledged by what is sent while they are delivered (trap 2)', () => {
    const d = new Desk();
    const told: number[] = [];
    d.onDeliver = () => told.push(d.wire.takeAck());
    d.says('1["a","b"]', '3["c"]');
    expect(told).toEqual([0, 0, 2]);
  });

  test('are acknowledged after they were delivered, never before (trap 2)', () => {
    const d = new Desk({ own: { ...LIMITS, win: { m: 1, b: 1 } } });
    const acked: number[] = [];
    d.onDeliver = () => acked.push(framesOf(d.line, 'ack').length);
    d.says('1["a"]', '2["b"]');
    expect([acked, framesOf(d.line, 'ack').map(({ a }) => a)]).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });

  test('that are volatile are delivered, and have no position', () => {
    const d = new Desk();
    d.says({ t: 'v', b: [{ d: 'a', n: 'cursor' }] }, Uint8Array.of(1, 0, 0, 1, 0, 1, 7).buffer);
    expect(d.delivered).toEqual([['a', { n: 'cursor' }], Uint8Array.of(7).buffer]);
    expect([d.session.incoming.handed, d.clock.pending()]).toEqual([0, 0]);
  });

  test('are read compressed where that was agreed on, up to the bound of this side (pain 53)', () => {
    const frame =
      makeCompression({ hasWindow: false }).compress(toUtf8(`1["${'x'.repeat(3_000)}"]`))?.buffer ?? new ArrayBuffer(0);
    const agreed = new Desk({ compression: makeCompression({ hasWindow: false }) });
    agreed.says(frame);
    expect(agreed.delivered).toEqual(['x'.repeat(3_000)]);
    const bounded = new Desk({
      compression: makeCompression({ hasWindow: false }),
      own: { ...LIMITS, inflated: 2_000 },
    });
    bounded.says(frame);
    const not = new Desk();
    not.says(frame);
    expect([bounded.told, not.told]).toEqual([[['violated', 4006]], [['violated', 4001]]]);
    expect([bounded.delivered, not.delivered]).toEqual([[], []]);
  });
});

describe('an acknowledgement of the server', () => {
  test.each<[string, Said]>([
    ['alone', { t: 'ack', a: 2 }],
    ['with a batch', '1,2["x"]'],
    ['with messages', { t: 'm', s: 1, a: 2, b: [{ d: 'x' }] }],
    ['with bytes', Uint8Array.of(1, 1, 2, 1, 0, 1, 7).buffer],
    ['with a ping', { t: 'ping', i: 1, ts: 1, a: 2 }],
    ['with a pong', { t: 'pong', i: 1, ts: 1, now: 1, a: 2 }],
  ])('%s settles everything up to a position', (_how, said) => {
    const d = new Desk();
    d.write('a', 'b', 'c');
    d.says(said);
    expect(d.told[0]).toEqual(['acknowledged', 'a', 'b']);
    expect(d.session.outgoing.unacknowledged()).toMatchObject([{ data: 'c' }]);
  });

  test('of less than before says nothing, and of what was never sent breaks the protocol', () => {
    const d = new Desk();
    d.write('a', 'b');
    d.says({ t: 'ack', a: 2 }, { t: 'ack', a: 1 }, { t: 'ack', a: 0 });
    expect(d.told).toEqual([['acknowledged', 'a', 'b']]);
    d.says({ t: 'ack', a: 3 });
    expect(d.told.at(-1)).toEqual(['violated', 4001]);
  });

  test('may bring a window, and relief with it', () => {
    const d = new Desk({ limits: { ...LIMITS, win: { m: 1, b: 100 } } });
    d.write('a');
    const relieved: string[] = [];
    d.wire.onceRelieved(0, () => relieved.push('relieved'));
    d.says({ t: 'ack', a: 1, w: { m: 9, b: 100 } });
    expect([relieved, d.wire.window]).toMatchObject([['relieved'], { messages: 9 }]);
  });
});

describe('a refusal', () => {
  const refusal = { t: 'nack', c: 'NO', m: '', temp: false, out: 'rejected' } as const;

  test.each<[string, { s?: number; e?: number; k?: string[] }, string[]]>([
    ['a position', { s: 2 }, ['b']],
    ['a range', { s: 2, e: 3 }, ['b', 'c']],
    ['keys', { k: ['k3', 'other'] }, ['c']],
    ['what was acknowledged', { s: 1 }, []],
    ['nothing', {}, []],
  ])('of %s is told of each message that it means', (_what, which, refused) => {
    const d = new Desk();
    d.write(messageOf('a'), messageOf('b'), messageOf('c', { idempotencyKey: 'k3' }));
    d.says({ t: 'ack', a: 1 }, { ...refusal, ...which });
    expect(d.told.slice(1)).toEqual(refused.map((data) => ['refused', data, 'NO']));
  });

  test('of what was never sent breaks the protocol', () => {
    const d = new Desk();
    d.write('a');
    d.says({ ...refusal, s: 1, e: 2 });
    expect(d.told).toEqual([['violated', 4001]]);
  });
});

describe('other frames', () => {
  test('ping is answered at once with what it said, the time here, and an acknowledgement', () => {
    const d = new Desk();
    d.says('1["a"]', { t: 'ping', i: 7, ts: 1.5 });
    expect(framesOf(d.line, 'pong')).toEqual([{ t: 'pong', i: 7, ts: 1.5, now: 42, a: 1 }]);
    d.says({ t: 'ping', i: 8, ts: 2 });
    expect(framesOf(d.line, 'pong')[1]).not.toHaveProperty('a');
  });

  test('pong is told', () => {
    const d = new Desk();
    d.says({ t: 'pong', i: 3, ts: 1, now: 1 });
    expect(d.told).toEqual([['ponged', 3]]);
  });

  test('flow changes the window of the session; of a channel it is told', () => {
    const d = new Desk();
    d.says({ t: 'flow', w: { m: 0, b: 0 } });
    expect([d.wire.hasRoom, d.told]).toEqual([false, []]);
    d.says({ t: 'flow', w: { m: 5, b: 5 }, c: 'c1' });
    expect([d.wire.hasRoom, d.told]).toEqual([false, [['noticed', 'flow']]]);
  });

  test.each<ServerFrame>([
    { t: 'auth', need: true },
    { t: 'away', in: 1, spread: 1 },
    { t: 'bye', keep: true },
    { t: 'err', c: 'X', m: '', temp: true },
    { t: 'shut', c: 'c1' },
  ])('$t is told, and means nothing here', (frame) => {
    const d = new Desk();
    d.says(frame);
    expect([d.told, d.line.sent]).toEqual([[['noticed', frame.t]], []]);
  });

  test.each<[string, Said]>([
    ['a second greeting', srvOf()],
    ['a second welcome', welcomeOf()],
    ['no frame', 'hello there'],
    ['no bytes', new ArrayBuffer(0)],
    ['an unknown type', '{"t":"news"}'],
  ])('%s breaks the protocol', (_what, said) => {
    const d = new Desk();
    d.says(said);
    expect(d.told).toEqual([['violated', 4001]]);
  });

  test('of an unknown type that may be ignored are ignored', () => {
    const d = new Desk();
    d.says('{"t":"news","o":1}');
    expect(d.told).toEqual([]);
  });

  test('larger than this side takes break it off with 4006', () => {
    const d = new Desk({ own: { ...LIMITS, frame: 20 } });
    d.says(`1["${'x'.repeat(20)}"]`);
    expect([d.told, d.delivered]).toEqual([[['violated', 4006]], []]);
  });
});

test('what is no breach of the protocol is a bug, and is thrown', () => {
  const d = new Desk();
  d.onDeliver = () => {
    throw new TypeError('ours');
  };
  expect(() => {
    d.says('1["a"]');
  }).toThrow('ours');
});
