import type { CloseInitiator, FrameData } from '../errors.ts';

export type { FrameData, InboundData } from '../errors.ts';

/** What travels: text, or bytes. */
export type WireData = string | Uint8Array<ArrayBuffer>;

/** How a transport ended. */
export interface TransportEnd {
  /** Source: RFC 6455, section 7.4. */
  code: number;
  reason: string;
  wasClean: boolean;
  initiator: CloseInitiator;
  /** What the platform said of it, for example `connect ECONNREFUSED 127.0.0.1:9`; `null` in browsers, which say nothing. */
  detail: string | null;
  /** The HTTP status of a handshake that was refused, where the platform shows it. */
  status?: number;
  /** What the refusal asked for, in ms. Source: RFC 9110, section 10.2.3. */
  retryAfterMs?: number;
}

/** What a transport reports. After `ended` it reports nothing; after `dispose()` it reports nothing at all. */
export interface TransportListener {
  opened(): void;
  received(data: FrameData): void;
  /** A sign of life that carries no data: a protocol ping or, with the mark of what it answers, a pong; where the platform shows them. */
  heard(mark?: string): void;
  ended(end: TransportEnd): void;
}

/** One physical socket. It is used once: there is no way to open it again. */
export interface Transport {
  /** Hands data to the socket. @throws Whatever the socket throws; then the data was not taken. */
  send(data: WireData): void;
  /** The subprotocol that the server selected; `''` for none, `undefined` where the platform does not say. */
  readonly protocol: string | undefined;
  /** Whether the socket takes data. One that is closing discards it without a word. Source: WHATWG WebSockets, `send()`. */
  readonly isOpen: boolean;
  /** What the socket has taken and not yet given to the network, in bytes; 0 where an implementation does not say. */
  readonly bufferedBytes: number;
  /** Whether frames are compressed on the way: then `bufferedBytes` cannot be compared with what was handed over. */
  readonly isCompressing: boolean;
  /** Runs `write`; what it sends leaves in one write to the network, where the platform can do that. */
  batch(write: () => void): void;
  /** Sends a protocol ping with a mark, which its pong brings back; `null` where the platform cannot, as in browsers. */
  readonly ping: ((mark: string) => void) | null;
  /** Begins the closing handshake. `ended` follows, sooner or later; the caller keeps the deadline. */
  close(code: number, reason: string): void;
  /** Lets go of the socket at once, in whatever state it is. Idempotent, never throws. */
  dispose(): void;
}

/** Where to open a socket. */
export interface Address {
  url: string;
  protocols: readonly string[];
}
