import type { Address, FrameData, Transport, TransportEnd, TransportListener } from './transport/transport.ts';
import { monotonicNow, type Clock } from './transport/clock.ts';
import { CloseCode } from './protocol/close-codes.ts';
import { SUBPROTOCOL } from './protocol/frames.ts';
import { readFrame } from './protocol/wire.ts';
import { openWebSocket, type WebSocketConstructor } from './transport/websocket.ts';
import { Pings } from './pings.ts';

export interface VisitOptions {
  WebSocket: WebSocketConstructor;
  clock: Clock;
  address: Address;
  /** Aborted when there is no more time for it. */
  signal: AbortSignal;
  /** How long the socket may take to open, in ms. */
  connectTimeoutMs: number;
}

/** How a socket opened, or did not. */
export interface Arrival {
  isOpen: boolean;
  durationMs: number;
  /** `undefined` where the platform does not say. */
  protocol: string | undefined;
  /** How it ended instead; `null` where it opened, or nothing came in time. */
  end: TransportEnd | null;
}

const CLOSE_MS = 1_000;

/** A short socket of its own, on which nothing of the application is said, and no session is asked for. */
export class Visit {
  readonly #options: VisitOptions;
  readonly #pings = new Pings();
  readonly #over = new AbortController();
  #transport: Transport | undefined;
  #end: TransportEnd | undefined;
  #hasOpened = false;
  // only the first message shows which wire is spoken
  #first: 'awaited' | 'greeting' | 'another' = 'awaited';
  // whoever waits for something to happen
  #changed: () => void = () => undefined;

  constructor(options: VisitOptions) {
    this.#options = options;
  }

  /** Aborted once the socket is gone. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** How the socket ended; `undefined` while it has not. */
  get end(): TransportEnd | undefined {
    return this.#end;
  }

  /** Opens the socket. Never rejects. */
  async arrive(): Promise<Arrival> {
    const { signal, connectTimeoutMs } = this.#options;
    const startedAt = this.#now();
    if (!signal.aborted) {
      signal.addEventListener('abort', this.#cut);
      this.#open();
      await this.#until(() => this.#hasOpened || this.#end !== undefined, connectTimeoutMs);
    }
    const arrival = {
      isOpen: this.#hasOpened,
      durationMs: this.#now() - startedAt,
      protocol: this.#transport?.protocol,
      end: this.#hasOpened ? null : (this.#end ?? null),
    };
    // it is not to open once nobody waits for it
    if (!arrival.isOpen) this.dispose();
    return arrival;
  }

  /** Whether the server proves within so long that it speaks holdfast.v1. It does so by itself: nothing is asked of it. */
  async isGreeted(timeoutMs: number): Promise<boolean> {
    const protocol = this.#transport?.protocol;
    if (protocol !== undefined && protocol !== SUBPROTOCOL) return false;
    await this.#until(() => this.#first !== 'awaited' || !this.#isOpen, timeoutMs);
    return this.#first === 'greeting';
  }

  /** Whether the platform can send protocol pings. */
  get canPing(): boolean {
    return this.#isOpen && (this.#transport?.ping ?? null) !== null;
  }

  /** Sends a protocol ping. `answered`: hears of the round trip, if there is one. @throws What the platform throws. */
  ping(answered: (rttMs: number) => void): boolean {
    if (!this.canPing) return false;
    this.#transport?.ping?.(String(this.#pings.ask(this.#now(), answered)));
    return true;
  }

  /** Closes the socket. Resolves when it is gone, within a second. */
  async leave(): Promise<void> {
    if (this.#isOpen) {
      this.#bid();
      await this.#until(() => !this.#isOpen, CLOSE_MS);
    }
    this.dispose();
  }

  /** Lets go of the socket at once. */
  dispose(): void {
    this.#options.signal.removeEventListener('abort', this.#cut);
    // what has ended is let go of already
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#transport?.dispose();
  }

  get #isOpen(): boolean {
    return this.#hasOpened && !this.#over.signal.aborted;
  }

  // whoever ends the diagnosis finds that nothing is left of it when that returns
  readonly #cut = (): void => {
    if (this.#isOpen) this.#bid();
    this.dispose();
  };

  #bid(): void {
    try {
      this.#transport?.close(CloseCode.normal, 'diagnostics');
    } catch {
      // it is let go of all the same
    }
  }

  #open(): void {
    const { WebSocket, clock, address } = this.#options;
    const listener: TransportListener = {
      opened: () => {
        this.#hasOpened = true;
        this.#changed();
      },
      received: (data) => {
        if (this.#first === 'awaited') this.#first = isGreeting(data) ? 'greeting' : 'another';
        this.#changed();
      },
      heard: (mark) => {
        if (mark !== undefined) this.#pings.answered(Number(mark), this.#now());
      },
      ended: (end) => {
        this.#end = end;
        this.#over.abort();
        this.#changed();
      },
    };
    try {
      this.#transport = openWebSocket(address, listener, { WebSocket, clock });
    } catch {
      // a name or an address that the platform does not take
      listener.ended({ code: 1006, reason: '', wasClean: false, initiator: 'local', detail: null });
    }
  }

  // also ends when there is no more time for the visit
  #until(isSo: () => boolean, timeoutMs: number): Promise<void> {
    const { clock, signal } = this.#options;
    return new Promise((resolve) => {
      const done = (): void => {
        clock.clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#changed = () => undefined;
        resolve();
      };
      const timer = clock.setTimeout(done, timeoutMs);
      signal.addEventListener('abort', done);
      this.#changed = () => {
        if (isSo()) done();
      };
      if (signal.aborted) done();
      else this.#changed();
    });
  }

  #now(): number {
    return monotonicNow(this.#options.clock);
  }
}

function isGreeting(data: FrameData): boolean {
  try {
    const frame = readFrame(data, { from: 'server', limits: { frame: 65_536, inflated: 65_536 }, compression: null });
    return frame.t === 'srv';
  } catch {
    return false;
  }
}
