import type { ClientFrame, FrameFrom, ServerFrame, WireMeta } from '../../src/protocol/frames.ts';
import type { Line, Observer } from '../../src/testing/line.ts';
import type { Data } from '../../src/testing/parcel.ts';
import { read } from './reading.ts';
import { seenOf, short, type Seen } from './session-truth.ts';
import type { Truth } from './truth.ts';

/** Changes frames on their way, as a broken end would write them. `null`: it says nothing. */
export interface Tampering {
  up?: (data: Data, line: Line) => Data | null;
  down?: (data: Data, line: Line) => Data | null;
}

type Welcome = Extract<ServerFrame, { t: 'welcome' }>;
type Hello = Extract<ClientFrame, { t: 'hello' }>;

/** What one end has said on one connection. */
interface Said {
  /** The last position. */
  last: number | null;
  resume: Hello['resume'];
}

/** Sees every frame as it is sent, and holds it to the protocol. */
export class Auditor implements Observer {
  readonly #truth: Truth;
  readonly #tampering: Tampering;
  readonly #said = new Map<Line, Said>();
  // the newest connection of each session, by node
  readonly #newest = new Map<string, Line>();
  // a frame of an older connection is being handed over
  #stale: Line | undefined;

  constructor(truth: Truth, tampering: Tampering) {
    this.#truth = truth;
    this.#tampering = tampering;
  }

  up(line: Line, sent: Data): Data | null {
    const data = this.#tampering.up ? this.#tampering.up(sent, line) : sent;
    if (data === null) return null;
    const frame = read(data, 'client');
    this.#truth.history.note(() => `${line.name} → ${shown(data)}`);
    if (!frame) this.#truth.history.fail(`${line.name}: the client breaks the protocol: ${shown(data)}`);
    else if (frame.t === 'hello') this.#hello(line, frame);
    else this.#saidUp(line, frame);
    return data;
  }

  down(line: Line, sent: Data): Data | null {
    const data = this.#tampering.down ? this.#tampering.down(sent, line) : sent;
    if (data === null) return null;
    const { history } = this.#truth;
    const frame = read(data, 'server');
    history.note(() => `${line.name} ← ${shown(data)}`);
    history.require(
      this.#stale === undefined,
      () => `the server answers a frame of ${String(this.#stale?.name)}, which is not the newest`,
    );
    if (!frame) history.fail(`${line.name}: the server breaks the protocol: ${shown(data)}`);
    else if (frame.t === 'welcome') this.#welcome(line, frame);
    else this.#saidDown(line, frame);
    return data;
  }

  reaching(line: Line, data: Data): () => void {
    const frame = shortIn(data);
    if (frame?.t === 'flow') this.#truth.holds.heardByServer(line, frame);
    const newest = line.sid === undefined ? undefined : this.#newest.get(`${line.host.name} ${line.sid}`);
    if (newest === undefined || newest === line) return () => undefined;
    this.#stale = line;
    const before = this.#truth.handovers;
    return () => {
      this.#stale = undefined;
      this.#truth.history.require(
        before === this.#truth.handovers,
        () => `a message of ${line.name} was handed over, which is not the newest`,
      );
    };
  }

  arriving(line: Line, data: Data): void {
    const frame = shortIn(data);
    if (frame?.t === 'flow') this.#truth.holds.heardByClient(line, frame);
    else if (frame?.t === 'shut') this.#truth.dismissed(line.sid, frame.c);
  }

  #hello(line: Line, { resume }: Hello): void {
    this.#said.set(line, { last: null, resume });
    if (resume) this.#truth.ackedUp(resume.sid, resume.rx);
  }

  #saidUp(line: Line, frame: FrameFrom<'client'>): void {
    const { sid } = line;
    if (sid === undefined) return this.#truth.history.fail(`${line.name}: the client speaks before it is welcomed`);
    for (const [position, seen] of messagesOf(frame)) {
      const isNew = position > (this.#truth.session(sid)?.up.length ?? 0);
      if (isNew) this.#truth.holds.sentUp(line, seen.tag, seen.channel);
      this.#truth.sentUp(sid, position, seen);
    }
    if (frame.t === 'open') this.#truth.openedChannel(sid, frame.c, frame.n);
    if (frame.t === 'shut') this.#truth.shutChannel(sid, frame.c);
    const ack = ackOf(frame);
    if (ack > 0) this.#truth.ackedUp(sid, ack);
  }

  #welcome(line: Line, { sid, resumed, rx, top }: Welcome): void {
    const { history } = this.#truth;
    const session = this.#truth.session(sid);
    const said = this.#said.get(line);
    if (!session) return history.fail(`${line.name}: a welcome to ${short(sid)}, which the store does not have`);
    line.sid = sid;
    this.#newest.set(`${line.host.name} ${sid}`, line);
    this.#truth.holds.welcomed(line, sid);
    history.require(rx <= session.rx, () => `a welcome says rx ${rx}, and the store has accepted ${session.rx} (I2)`);
    history.require(top <= session.down.length, () => `a welcome says top ${top} of ${session.down.length} (I1)`);
    if (resumed && said) said.last = said.resume?.rx ?? 0;
    // a hello that came late opens a session that is in use: what its client has by now it does not say
    else if (said) said.last = session.downTold > 0 ? null : 0;
    this.#truth.ackedDown(sid, rx);
  }

  #saidDown(line: Line, frame: FrameFrom<'server'>): void {
    const { sid } = line;
    if (sid === undefined) return;
    const { history } = this.#truth;
    const said = this.#said.get(line);
    for (const [position, seen] of messagesOf(frame)) {
      this.#truth.sentDown(sid, position, seen);
      if (!said) continue;
      history.require(
        said.last === null || position === said.last + 1,
        () => `${line.name}: the server sends ${position} after ${String(said.last)}`,
      );
      said.last = position;
    }
    if (frame.t === 'nack' && frame.s !== undefined) this.#truth.refusedUp(sid, frame.s, frame.e ?? frame.s);
    if (frame.t === 'shut') this.#truth.shutChannel(sid, frame.c);
    const ack = ackOf(frame);
    if (ack > 0) this.#truth.ackedDown(sid, ack);
  }
}

/** The messages of a frame that have positions. */
function messagesOf(frame: FrameFrom<'client' | 'server'>): [number, Seen][] {
  const { t } = frame;
  if (t === 'batch') return frame.d.map((value, index) => [frame.s + index, seenOf(value, undefined)]);
  if (t !== 'm' && t !== 'bytes') return [];
  if (frame.s === 0) return [];
  const messages: readonly ({ d: unknown; meta?: WireMeta } & WireMeta)[] = frame.b;
  return messages.map(({ d, meta, ...own }, index) => [frame.s + index, seenOf(d, meta ?? own)]);
}

// those that are looked at when they arrive; both ends write them alike
function shortIn(data: Data): FrameFrom<'server'> | null {
  return typeof data === 'string' && /^{"t":"(flow|shut)"/.test(data) ? read(data, 'server') : null;
}

function ackOf(frame: FrameFrom<'client' | 'server'>): number {
  return 'a' in frame ? (frame.a ?? 0) : 0;
}

function shown(data: Data): string {
  if (typeof data === 'string') return data.length > 300 ? `${data.slice(0, 300)}…` : data;
  const frame = read(data, 'server');
  if (frame?.t !== 'bytes') return 'bytes';
  return `bytes ${frame.s},${frame.a} ${frame.b.map(({ d }) => new TextDecoder().decode(d)).join(' ')}`;
}
