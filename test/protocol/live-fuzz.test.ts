import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';

import type { InboundData } from '../../src/errors.ts';
import { WireClose } from '../../src/protocol/close-codes.ts';
import { DEFLATE_RAW, DEFLATE_WINDOW, type Compression } from '../../src/protocol/compression.ts';
import type { FrameFrom } from '../../src/protocol/frames.ts';
import { writeText } from '../../src/protocol/text-frames.ts';
import { toUtf8 } from '../../src/protocol/utf8.ts';
import { ProtocolViolation } from '../../src/protocol/violation.ts';
import { readFrame } from '../../src/protocol/wire.ts';
import { bent, chanceFrom, pick } from '../support/bending.ts';
import { srvOf, welcomeOf, type Welcome } from '../support/server-script.ts';
import { framesOf } from '../support/session.ts';
import { Talk, type Socket } from '../support/talk.ts';
import { dataOf, FRAME_VECTORS, VIOLATION_VECTORS } from './vectors.ts';
import { makeCompression } from '../support/compression.ts';

// `npm run test:long` asks for more
const RUNS = Number(process.env['HOLDFAST_FUZZ_RUNS'] ?? 5_000);
const SEED = Number(process.env['HOLDFAST_FUZZ_SEED'] ?? 1);
// a busy machine takes some ms for each
const TIMEOUT_MS = 30_000 + RUNS * 40;
const MOST_FRAMES = 8;
// what a heap may differ by anyhow, and less than if anything were kept of every socket
const MOST_HEAP_BYTES = 1_000_000 + RUNS * 40;
const LOOKS = 10;
const CAPS = [DEFLATE_RAW, DEFLATE_WINDOW];

const seeds = [...FRAME_VECTORS, ...VIOLATION_VECTORS].map(dataOf);
const said = FRAME_VECTORS.filter(({ from }) => from === 'server');
const greetings = said.filter(({ means: { t } }) => t === 'srv' || t === 'welcome').map(dataOf);
// what a session reads without ending of it
const tame = said.filter(({ means: { t } }) => t !== 'srv' && t !== 'welcome').map(dataOf);
const codes = new Set<number>(Object.values(WireClose));

/** What a frame is to lead to. */
interface Verdict {
  /** The code that ends the socket. */
  code: number | undefined;
  payloads: unknown[];
}

/** A client whose server is chance, and what the protocol says that it has to hand over. */
class Victim {
  readonly talk = new Talk({ compression: 'window' });
  readonly #chance: () => number;
  #socket: Socket | undefined;
  readonly #closed: number[] = [];
  /** The last position that was handed over. */
  #rx = 0;
  // what the server called the last session
  #session: Pick<Welcome, 'sid' | 'ep'> = { sid: 's', ep: 'e' };
  #isWelcomed = false;
  #reading: Compression | null = null;
  #writing: Compression | null = null;
  readonly #expected: unknown[] = [];

  constructor(chance: () => number) {
    this.#chance = chance;
  }

  get isOver(): boolean {
    return this.#closed.length > 0;
  }

  get code(): number | undefined {
    return this.#closed[0];
  }

  get isWelcomed(): boolean {
    return this.#isWelcomed;
  }

  /** Another socket, on which nothing has been said. */
  connects(): void {
    const { talk } = this;
    const socket = talk.negotiates();
    socket.line.close = (code?: number) => {
      socket.line.isOpen = false;
      this.#closed.push(code ?? 0);
    };
    this.#socket = socket;
    this.#closed.length = 0;
    this.#isWelcomed = false;
  }

  /** The server greets and welcomes, or says something like it. */
  async greets(): Promise<void> {
    await this.hears(this.#mostly(writeText(srvOf({ caps: CAPS }))));
    // what compresses is loaded in its own time
    for (let turn = 0; turn < 20 && !this.isOver && !this.#hasHello; turn++) await nextTurn();
    await this.hears(this.#mostly(writeText(this.#welcome())));
  }

  /** A frame comes. */
  async hears(data: InboundData): Promise<void> {
    const socket = this.#socket;
    if (!socket || this.isOver) return;
    const { talk } = this;
    const verdict = this.#isWelcomed ? this.#verdictOn(data) : null;
    const before = talk.heard.length;
    socket.peer.received(data);
    if (verdict) {
      const [violated] = talk.heard.slice(before).filter((what) => what.startsWith('violated'));
      const what = typeof data === 'string' ? data : Buffer.from(data).toString('hex');
      expect(violated, what).toBe(verdict.code === undefined ? undefined : `violated ${verdict.code}`);
      if (verdict.code !== undefined) this.#closed.push(verdict.code);
      this.#expected.push(...verdict.payloads);
    } else this.#welcomed(socket, data);
    await talk.turn();
  }

  /** Its application sends, and the server says what it should. */
  async goesOn(number: number): Promise<void> {
    const { talk } = this;
    talk.push(`sent ${number}`);
    await talk.turn(this.#chance() < 0.5 ? 0 : 60);
    await this.hears(`${this.#rx + 1}["come ${number}"]`);
    if (this.#chance() < 0.5) await this.hears(`{"t":"ack","a":${talk.outbox.ledger.next - 1}}`);
    if (this.#writing && this.#chance() < 0.3) {
      const large = this.#writing.compress(toUtf8(`${this.#rx + 1}["${'come '.repeat(300)}"]`))?.buffer;
      if (large) await this.hears(this.#chance() < 0.5 ? large : bent(large, this.#chance));
    }
  }

  /** The socket is gone. What it was handed is what the protocol says. */
  leaves(): void {
    const { talk } = this;
    expect(talk.delivered).toEqual(this.#expected);
    talk.loses();
    for (const list of [talk.delivered, talk.heard, talk.undelivered, talk.errors, talk.edges, this.#expected])
      list.length = 0;
  }

  #welcomed(socket: Socket, data: InboundData): void {
    const [event] = socket.told.splice(0).filter(({ type }) => type !== 'wire.proven');
    if (event?.type === 'wire.plain') this.#closed.push(WireClose.protocolViolation);
    if (event?.type !== 'session.welcomed') return;
    const { talk } = this;
    if (!event.isResumed) this.#rx = 0;
    this.#isWelcomed = true;
    const welcome = readFrame(data, { from: 'server', limits: talk.settings.limits, compression: null });
    const offered = framesOf(socket.line, 'hello').flatMap(({ caps }) => caps);
    if (welcome.t !== 'welcome') throw new Error(`It was welcomed by ${welcome.t}.`);
    this.#session = { sid: welcome.sid, ep: welcome.ep };
    const isDeflating = welcome.caps.includes(DEFLATE_RAW) && offered.includes(DEFLATE_RAW);
    const hasWindow = [welcome.caps, offered].every((caps) => caps.includes(DEFLATE_WINDOW));
    // one reads what the client reads, and is to come to the same; the other is the server's
    this.#reading = isDeflating ? makeCompression({ hasWindow }) : null;
    this.#writing = isDeflating ? makeCompression({ hasWindow }) : null;
    socket.link.read((next) => {
      talk.conversation.receive(next);
    });
    const { wire } = talk.conversation;
    if (!wire) throw new Error('There is no session.');
    wire.replay();
    talk.tell('attached');
    talk.outbox.attach(wire, { isTrusted: true });
  }

  #welcome(): Welcome {
    const { conversation, outbox } = this.talk;
    if (!conversation.isResumable || this.#chance() < 0.3) return welcomeOf({ caps: CAPS });
    const { acknowledged: rx } = outbox.ledger;
    return welcomeOf({ ...this.#session, resumed: true, rx, top: this.#rx, caps: CAPS });
  }

  #verdictOn(data: InboundData): Verdict {
    const { limits } = this.talk.settings;
    try {
      return this.#verdictOf(
        readFrame(data, {
          from: 'server',
          limits,
          compression: this.#reading,
        }),
      );
    } catch (error) {
      if (error instanceof ProtocolViolation) return { code: error.closeCode, payloads: [] };
      throw error;
    }
  }

  #verdictOf(frame: FrameFrom<'server'>): Verdict {
    const given = this.talk.outbox.ledger.next - 1;
    const isOdd =
      ['srv', 'welcome'].includes(frame.t) ||
      ('a' in frame && (frame.a ?? 0) > given) ||
      (frame.t === 'nack' && (frame.e ?? frame.s ?? 0) > given);
    if (isOdd) return { code: WireClose.protocolViolation, payloads: [] };
    if (frame.t === 'v') return { code: undefined, payloads: frame.b.map(({ d }) => d) };
    if (frame.t === 'bytes' && frame.s === 0) return { code: undefined, payloads: buffersOf(frame) };
    if (frame.t !== 'batch' && frame.t !== 'm' && frame.t !== 'bytes') return { code: undefined, payloads: [] };
    if (frame.s > this.#rx + 1) return { code: WireClose.gap, payloads: [] };
    const all =
      frame.t === 'batch' ? frame.d : frame.t === 'bytes' ? buffersOf(frame) : frame.b.map(({ d }): unknown => d);
    const payloads = all.slice(Math.max(0, this.#rx + 1 - frame.s));
    this.#rx += payloads.length;
    return { code: undefined, payloads };
  }

  get #hasHello(): boolean {
    return this.#socket !== undefined && framesOf(this.#socket.line, 'hello').length > 0;
  }

  #mostly(text: string): InboundData {
    return this.#chance() < 0.85 ? text : bent(text, this.#chance);
  }
}

describe('a live client', () => {
  test(
    `hands over what the protocol says and closes what breaks it, on ${RUNS} sockets whose server is chance`,
    async () => {
      const chance = chanceFrom(SEED);
      const other = new Talk();
      const beside = other.joins();
      const counts = { closed: 0, welcomed: 0 };
      const victim = new Victim(chance);
      let heap = 0;
      for (let run = 0; run < RUNS; run++) {
        if (run === Math.floor(RUNS / 2)) heap = await heapBytes();
        victim.connects();
        if (chance() < 0.9) await victim.greets();
        await bombard(victim, chance);
        if (victim.isWelcomed) counts.welcomed += 1;
        if (victim.isOver) counts.closed += 1;
        if (victim.code !== undefined && !codes.has(victim.code))
          throw new Error(`run ${run} of seed ${SEED} was closed with ${victim.code}`);
        victim.leaves();
        expect(victim.talk.clock.pending()).toBe(0);
        if (run % 100 === 0) beside.peer.received(`${run / 100 + 1}["to the other"]`);
      }
      // whatever is kept of a socket for the next one goes with it
      expect((await heapBytes()) - heap).toBeLessThan(MOST_HEAP_BYTES);
      expect(other.delivered).toEqual(Array(Math.ceil(RUNS / 100)).fill('to the other'));
      expect([other.heard, beside.line.isOpen]).toEqual([[], true]);
      // all are many: else it is the bending that is at fault
      expect(Math.min(counts.closed, counts.welcomed)).toBeGreaterThan(RUNS / 4);
      expect(RUNS - counts.closed).toBeGreaterThan(RUNS / 50);
    },
    TIMEOUT_MS,
  );
});

// in between it says what it should, so that chance gets to a session that goes on
async function bombard(victim: Victim, chance: () => number): Promise<void> {
  for (let frames = pick(chance, MOST_FRAMES); frames >= 0 && !victim.isOver; frames--) {
    if (victim.isWelcomed && chance() < 0.5) await victim.goesOn(frames);
    const from = chance() < 0.9 ? tame : chance() < 0.5 ? greetings : seeds;
    const frame = from[pick(chance, from.length)] ?? '';
    await victim.hears(chance() < 0.7 ? frame : bent(frame, chance));
  }
}

function buffersOf({ b }: Extract<FrameFrom<'server'>, { t: 'bytes' }>): ArrayBuffer[] {
  return b.map(({ d }) => d.slice().buffer);
}

// what has just been let go of is freed a few turns later, the platform's inflaters above all: the least of some looks is what is kept
async function heapBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let least = Infinity;
  for (let look = 0; look < LOOKS; look++) {
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    least = Math.min(least, heapUsed + arrayBuffers);
  }
  return least;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
