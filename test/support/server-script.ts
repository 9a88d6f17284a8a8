import type { Connection } from '../../src/handle.ts';
import type { ClientFrame, FrameFrom, Limits, ServerFrame } from '../../src/protocol/frames.ts';
import { writeBatch, writeText } from '../../src/protocol/text-frames.ts';
import { readFrame } from '../../src/protocol/wire.ts';
import { browserSockets, type FakeSocket } from './fake-socket.ts';
import { Rig, TERMINAL, type RigOptions } from './service.ts';
import { makeCompression } from './compression.ts';

export type Srv = Extract<ServerFrame, { t: 'srv' }>;
export type Welcome = Extract<ServerFrame, { t: 'welcome' }>;
export type Hello = Extract<ClientFrame, { t: 'hello' }>;

/** What the server of the tests takes. */
export const LIMITS: Limits = { frame: 65_536, inflated: 262_144, win: { m: 256, b: 1_048_576 } };

const ANYTHING = { frame: 2 ** 31, inflated: 2 ** 31 };

/** A greeting of the server. */
export function srvOf(given: Partial<Srv> = {}): Srv {
  return { t: 'srv', v: [1], node: 'n1', caps: [], lim: LIMITS, ping: { iv: 25_000, to: 10_000 }, now: 5, ...given };
}

/** An answer to a hello: a session of the name `s1`, unless something else is said. */
export function welcomeOf(given: Partial<Welcome> = {}): Welcome {
  const session = { sid: 's1', tok: 'k1', ep: 'e1', gen: 1, resumed: false, rx: 0, top: 0, ttl: 120_000 };
  return { t: 'welcome', ...session, caps: [], lim: LIMITS, ping: { iv: 25_000, to: 10_000 }, now: 6, ...given };
}

/** The server's end of one fake socket: it says what the test has it say, and reads what the client sent. */
export class ServerScript<Socket extends FakeSocket = FakeSocket> {
  readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Says frames, or anything at all, one after the other. */
  says(...frames: (ServerFrame | string | ArrayBuffer)[]): void {
    for (const frame of frames) {
      const isRaw = typeof frame === 'string' || frame instanceof ArrayBuffer;
      this.socket.says(isRaw ? frame : writeText(frame));
    }
  }

  srv(given?: Partial<Srv>): void {
    this.says(srvOf(given));
  }

  welcome(given?: Partial<Welcome>): void {
    this.says(welcomeOf(given));
  }

  /** Sends messages from a position on. */
  sends(first: number, ...payloads: unknown[]): void {
    this.says(
      writeBatch(
        first,
        payloads.map((payload) => JSON.stringify(payload)),
      ),
    );
  }

  /** Everything up to a position is accepted. */
  acks(a: number): void {
    this.says({ t: 'ack', a });
  }

  /** What the client sent, read. */
  get frames(): FrameFrom<'client'>[] {
    return this.socket.sent.map((sent) =>
      readFrame(typeof sent === 'string' ? sent : sent.slice().buffer, {
        from: 'client',
        limits: ANYTHING,
        compression: makeCompression({ hasWindow: false }),
      }),
    );
  }

  /** The frames of one type, in order. */
  of<Type extends FrameFrom<'client'>['t']>(type: Type): Extract<FrameFrom<'client'>, { t: Type }>[] {
    return this.frames.filter((frame): frame is Extract<FrameFrom<'client'>, { t: Type }> => frame.t === type);
  }

  /** @throws When there was none. */
  get hello(): Hello {
    const [hello] = this.of('hello');
    if (!hello) throw new Error(`No hello was sent, but ${JSON.stringify(this.socket.sent)}.`);
    return hello;
  }

  /** The positions acknowledged so far, in order, whatever they travelled with. */
  get acked(): number[] {
    return this.frames.flatMap((frame) => ('a' in frame && frame.a > 0 ? [frame.a] : []));
  }

  /** The messages that came, with their positions, as often as they came. */
  get messages(): [position: number, payload: unknown][] {
    return this.frames.flatMap((frame) => {
      if (frame.t === 'batch') return frame.d.map((payload, index) => [frame.s + index, payload] as [number, unknown]);
      if (frame.t !== 'm' && frame.t !== 'bytes') return [];
      return frame.b.map(({ d }, index) => [frame.s + index, d] as [number, unknown]);
    });
  }
}

/** A session that has just begun. */
export interface Joined {
  id: string;
  connection: Connection;
  server: ServerScript;
}

/** A service whose sockets have a server of the test at their other end. Its terminals speak `holdfast.v1` and nothing else. */
export class WireRig extends Rig {
  constructor({ terminal, ...options }: RigOptions = {}) {
    super(browserSockets(), { ...options, terminal: { wire: 'required', ...terminal } });
  }

  /** The server's end of the newest socket. */
  get server(): ServerScript {
    return new ServerScript(this.sockets.last);
  }

  /** Connects, and lets the newest socket open. The server has said nothing yet. */
  async dial(wish = TERMINAL): Promise<ServerScript> {
    void this.service.connect(wish);
    await this.settle();
    return this.opens();
  }

  /** Lets the newest socket open. */
  async opens(): Promise<ServerScript> {
    this.sockets.last.opens();
    await this.settle();
    return this.server;
  }

  /** Connects, and is welcomed to a new session. */
  async join(welcome?: Partial<Welcome>, srv?: Partial<Srv>): Promise<Joined> {
    const server = await this.dial();
    server.srv(srv);
    await this.settle();
    server.welcome(welcome);
    await this.settle();
    const id = 'terminal:one';
    return { id, connection: this.service.connection(id), server };
  }

  /** The socket breaks. */
  async drops(socket: FakeSocket = this.sockets.last, code = 1006): Promise<void> {
    socket.ends(code);
    await this.settle();
  }

  /** Lets the wait of a connection in backoff pass, and the next socket open; the server has greeted, and knows of the hello. */
  async redial(): Promise<ServerScript> {
    await this.passBackoff();
    const server = await this.opens();
    server.srv();
    await this.settle();
    return server;
  }

  /** The same, and the session goes on: the server has everything that was sent, and nothing to send again. */
  async resume(welcome?: Partial<Welcome>): Promise<ServerScript> {
    const server = await this.redial();
    const { hi, rx } = server.hello.resume ?? { hi: 0, rx: 0 };
    server.welcome({ gen: 2, tok: 'k2', resumed: true, rx: hi, top: rx, ...welcome });
    await this.settle();
    return server;
  }
}
