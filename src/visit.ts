import type { Address, Transport, TransportEnd } from './transport/transport.ts';
import type { Clock } from './transport/clock.ts';
import { SUBPROTOCOL, type ServerFrame } from './protocol/frames.ts';
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
  #transport: Transport | undefined;
  #end: TransportEnd | undefined;
  #greeting: Extract<ServerFrame, { t: 'srv' }> | undefined;
  // whoever waits for something to happen
  #changed: () => void = () => undefined;
  #isOpen = false;

  constructor(options: VisitOptions) {
    this.#options = options;
  }

  /** Opens the socket. Never rejects. */
  async arrive(): Promise<Arrival> {
    const { WebSocket, clock, address, connectTimeoutMs } = this.#options;
    const startedAt = this.#now();
    try {
      this.#transport = openWebSocket(
        address,
        {
          opened: () => {
            this.#isOpen = true;
            this.#changed();
          },
          received: (data) => {
            this.#greeting ??= greetingIn(data);
            this.#changed();
          },
          heard: (mark) => {
            if (mark !== undefined) this.#pings.answered(Number(mark), this.#now());
            this.#changed();
          },
          ended: (end) => {
            this.#end = end;
            this.#isOpen = false;
            this.#changed();
          },
        },
        { WebSocket, clock },
      );
    } catch {
      // a name or an address that the platform does not take
      this.#end = { code: 1006, reason: '', wasClean: false, initiator: 'local', detail: 'it could not be made' };
    }
    await this.#until(() => this.#isOpen || this.#end !== undefined, connectTimeoutMs);
    return {
      isOpen: this.#isOpen,
      durationMs: this.#now() - startedAt,
      protocol: this.#transport?.protocol,
      end: this.#end ?? null,
    };
  }

  /** Whether the server proves within so long that it speaks holdfast.v1. It does so by itself: nothing is asked of it. */
  async isGreeted(timeoutMs: number): Promise<boolean> {
    if (this.#transport?.protocol !== SUBPROTOCOL) return false;
    await this.#until(() => this.#greeting !== undefined || !this.#isOpen, timeoutMs);
    return this.#greeting !== undefined;
  }

  /** Whether the platform can send protocol pings. */
  get canPing(): boolean {
    return this.#isOpen && (this.#transport?.ping ?? null) !== null;
  }

  /** Sends a protocol ping. `answered`: hears of the round trip, if there is one. */
  ping(answered: (rttMs: number) => void): boolean {
    if (!this.canPing) return false;
    this.#transport?.ping?.(String(this.#pings.ask(this.#now(), answered)));
    return true;
  }

  /** Closes the socket. Resolves when it is gone, within a second. */
  async leave(): Promise<void> {
    if (this.#isOpen) {
      this.#transport?.close(1000, 'diagnostics');
      await this.#until(() => this.#end !== undefined, CLOSE_MS);
    }
    this.dispose();
  }

  /** Lets go of the socket at once. */
  dispose(): void {
    this.#isOpen = false;
    this.#transport?.dispose();
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
    const { clock } = this.#options;
    return clock.monotonicNow?.() ?? clock.now();
  }
}

function greetingIn(data: string | ArrayBuffer): Extract<ServerFrame, { t: 'srv' }> | undefined {
  try {
    const frame = readFrame(data, { from: 'server', limits: { frame: 65_536, inflated: 65_536 }, deflater: null });
    return frame.t === 'srv' ? frame : undefined;
  } catch {
    return undefined;
  }
}
