import type { WebSocketLike } from '../index.ts';
import type { SimulatedClock } from './clock.ts';
import type { Parcel } from './parcel.ts';

type Handler = ((event: never) => unknown) | null;

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

// how long a platform waits for the answer to a close
const GIVE_UP_MS = 3_000;
const MOST_REASON_BYTES = 123;

/** The connection, as its client's end has it. */
export interface ClientEnd {
  /** Bytes that wait to leave. */
  readonly bufferedBytes: number;
  send(parcel: Parcel): void;
  /** Does something at this end: now, or once its device goes on. */
  tell(deed: () => void): void;
  /** Nothing is heard at this end any more. */
  drop(): void;
}

/** The client's end of a connection: a WebSocket as a browser has it. */
export class ClientSocket implements WebSocketLike {
  readonly url: string;
  /** The subprotocols that are offered. */
  readonly protocols: readonly string[];
  readyState = CONNECTING;
  binaryType = 'blob';
  protocol = '';
  onopen: Handler = null;
  onmessage: Handler = null;
  onerror: Handler = null;
  onclose: Handler = null;
  /** `null` when the dial was refused. */
  line: ClientEnd | null = null;
  /** Whether it ever opened. */
  hasOpened = false;
  readonly #clock: SimulatedClock;
  #giveUp: number | undefined;

  constructor(clock: SimulatedClock, { url, protocols }: { url: string; protocols: readonly string[] }) {
    this.#clock = clock;
    this.url = url;
    this.protocols = protocols;
  }

  /** Neither ended nor told to end. */
  get isLive(): boolean {
    return this.readyState < CLOSING;
  }

  get bufferedAmount(): number {
    return this.line?.bufferedBytes ?? 0;
  }

  /** How many event handlers are attached. */
  get listenersLeft(): number {
    return [this.onopen, this.onmessage, this.onerror, this.onclose].filter(Boolean).length;
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.readyState === CONNECTING) throw new DOMException('Still in CONNECTING state.', 'InvalidStateError');
    if (this.readyState === OPEN) this.line?.send({ kind: 'data', data });
  }

  close(code = 1000, reason = ''): void {
    if (code !== 1000 && !(code >= 3000 && code <= 4999))
      throw new DOMException(`${code} is no code for close().`, 'InvalidAccessError');
    if (new TextEncoder().encode(reason).length > MOST_REASON_BYTES)
      throw new DOMException('Too long a reason.', 'SyntaxError');
    if (!this.isLive) return;
    const wasOpen = this.readyState === OPEN;
    this.readyState = CLOSING;
    this.line?.send(wasOpen ? { kind: 'close', code, reason } : { kind: 'reset' });
    this.#giveUp = this.#clock.setTimeout(
      () => {
        this.line?.tell(() => {
          this.lose();
        });
      },
      wasOpen ? GIVE_UP_MS : 0,
    );
  }

  /** Something came from the server. */
  reached(parcel: Parcel): void {
    if (this.readyState === CLOSED) return;
    if (parcel.kind === 'opened' && this.readyState === CONNECTING) {
      this.readyState = OPEN;
      this.hasOpened = true;
      this.protocol = parcel.protocol;
      this.#fire(this.onopen, {});
    } else if (parcel.kind === 'data') {
      const { data } = parcel;
      if (this.readyState !== OPEN) return;
      this.#fire(this.onmessage, { data: typeof data === 'string' ? data : data.slice().buffer });
    } else if (parcel.kind === 'close' && this.hasOpened) {
      if (this.readyState === OPEN) this.line?.send(parcel);
      this.#end({ code: parcel.code, reason: parcel.reason, wasClean: true });
    } else if (parcel.kind === 'close' || parcel.kind === 'reset') {
      // a close in place of the answer to the handshake is no close frame
      this.lose();
    }
  }

  /** The connection is gone, and this end has noticed. */
  lose(): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.#fire(this.onerror, {});
    this.#end({ code: 1006, reason: '', wasClean: false });
  }

  #end(event: { code: number; reason: string; wasClean: boolean }): void {
    this.readyState = CLOSED;
    this.#clock.clearTimeout(this.#giveUp);
    this.line?.drop();
    this.#fire(this.onclose, event);
  }

  #fire(handler: Handler, event: object): void {
    handler?.call(this, event as never);
  }
}
