import type { Resumption } from './core/session.ts';
import type { Link } from './link.ts';
import { DEFLATE_RAW, DEFLATE_WINDOW, type Compression, type MakeCompression } from './protocol/compression.ts';
import { WireClose } from './protocol/close-codes.ts';
import { SUBPROTOCOL, VERSION, type FrameFrom, type Limits, type ServerFrame } from './protocol/frames.ts';
import { writeText } from './protocol/text-frames.ts';
import { ProtocolViolation } from './protocol/violation.ts';
import { readFrame } from './protocol/wire.ts';
import type { FrameData, Transport } from './transport/transport.ts';

type Welcome = Extract<ServerFrame, { t: 'welcome' }>;
type ServerError = Extract<ServerFrame, { t: 'err' }>;

/** What the client says of itself. */
export interface Introduction {
  nonce: string;
  resume: Resumption | undefined;
  auth: string | undefined;
  /** What this side takes. */
  limits: Limits;
}

export interface NegotiationOptions {
  /** Asked when the server has proved that it speaks the protocol. */
  introduction: () => Introduction;
  /** Loads what compresses; `null` where compression is not wanted. */
  loadCompression: (() => Promise<MakeCompression>) | null;
  /** Whether a window is wanted as well. */
  keepsWindow: boolean;
}

/** What a negotiation finds out; one of the last three ends it. */
export interface NegotiationReports {
  /** The server speaks holdfast.v1. */
  proven(): void;
  /** The hello is about to leave: what it says of the session must stay true until it is answered. */
  introducing(): void;
  /** It has left, and may be answered however late. */
  introduced(): void;
  /** It does not, or nothing shows that it does. What it said so far is left to be read. */
  plain(): void;
  /** The answer to the hello, and how frames are compressed. */
  welcomed(welcome: Welcome, compression: Compression | null): void;
  violated(violation: ProtocolViolation): void;
  /** The server says why it is about to close. */
  warned(error: ServerError): void;
}

/** Finds out on an open link which wire the server speaks, and introduces this side to it. Source: PROTOCOL.md, "Roles and negotiation". */
export class Negotiation {
  readonly #link: Link;
  readonly #transport: Transport;
  readonly #options: NegotiationOptions;
  readonly #reports: NegotiationReports;
  #isOver = false;
  // what has been said: nothing, the greeting of the server, the hello of this side
  #stage: 'silent' | 'proven' | 'introduced' = 'silent';
  #make: MakeCompression | null = null;
  // what the hello offers of that
  #caps: readonly string[] = [];

  constructor(
    link: Link,
    transport: Transport,
    { reports, ...options }: NegotiationOptions & { reports: NegotiationReports },
  ) {
    this.#link = link;
    this.#transport = transport;
    this.#options = options;
    this.#reports = reports;
  }

  /** Begins with what has been said already. */
  start(): void {
    const { protocol } = this.#transport;
    // an echo of the name proves nothing, but another name proves that it is not spoken
    if (protocol !== undefined && protocol !== SUBPROTOCOL) return this.yield();
    this.#link.read((data) => {
      this.#read(data);
    });
  }

  /** A server that has said nothing so far speaks plain. */
  yield(): void {
    if (this.#stage !== 'silent') return;
    this.#settle(() => {
      this.#reports.plain();
    });
  }

  /** Nobody waits for the answer any more. What comes is left to be read. */
  abandon(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#link.hold();
  }

  #read(data: FrameData): void {
    if (this.#stage === 'silent') return this.#greeted(data);
    const { limits: own } = this.#options.introduction();
    let frame: FrameFrom<'server'>;
    try {
      frame = readFrame(data, { from: 'server', limits: own, compression: null });
    } catch (error) {
      return this.#violated(error);
    }
    if (frame.t === 'err') return this.#reports.warned(frame);
    if (frame.t === 'unknown') return;
    if (frame.t !== 'welcome') return this.#violated(new ProtocolViolation(`${frame.t} came before welcome`));
    if (this.#stage === 'proven') return this.#violated(new ProtocolViolation('welcome came before hello'));
    const welcome = frame;
    this.#settle(() => {
      this.#reports.welcomed(welcome, this.#agreed(welcome.caps));
    });
  }

  // only srv proves anything: whatever else comes first is the first message of a server that speaks plain
  #greeted(data: FrameData): void {
    let frame: FrameFrom<'server'> | undefined;
    try {
      frame = readFrame(data, { from: 'server', limits: this.#options.introduction().limits, compression: null });
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
    }
    if (frame?.t !== 'srv') {
      return this.#settle(() => {
        this.#reports.plain();
      }, data);
    }
    this.#stage = 'proven';
    this.#reports.proven();
    if (!frame.v.includes(VERSION))
      return this.#violated(new ProtocolViolation('no version is spoken by both', WireClose.noCommonVersion));
    const { loadCompression, keepsWindow } = this.#options;
    if (!loadCompression || !frame.caps.includes(DEFLATE_RAW)) return this.#introduce();
    const hasWindow = keepsWindow && frame.caps.includes(DEFLATE_WINDOW);
    loadCompression().then(
      (make) => {
        this.#make = make;
        this.#caps = hasWindow ? [DEFLATE_RAW, DEFLATE_WINDOW] : [DEFLATE_RAW];
        this.#introduce();
      },
      // a module that cannot be loaded is no reason to do without a connection
      () => {
        this.#introduce();
      },
    );
  }

  #introduce(): void {
    if (this.#isOver) return;
    this.#reports.introducing();
    const { nonce, resume, auth, limits: lim } = this.#options.introduction();
    const caps = [...this.#caps];
    const secrets = { ...(auth !== undefined && { auth }), ...(resume && { resume }) };
    try {
      this.#transport.send(writeText({ t: 'hello', v: VERSION, nonce, caps, lim, ...secrets }));
    } catch {
      // the socket is about to end, and says so itself
      return;
    }
    this.#stage = 'introduced';
    this.#reports.introduced();
  }

  #agreed(caps: readonly string[]): Compression | null {
    if (!this.#make || !caps.includes(DEFLATE_RAW)) return null;
    return this.#make({ hasWindow: [this.#caps, caps].every((names) => names.includes(DEFLATE_WINDOW)) });
  }

  #violated(error: unknown): void {
    if (!(error instanceof ProtocolViolation)) throw error;
    this.#settle(() => {
      this.#reports.violated(error);
    });
  }

  #settle(report: () => void, ...untaken: FrameData[]): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#link.hold(...untaken);
    report();
  }
}
