import type { ErrorDetails } from './errors.ts';
import type { OutboundMessage } from './message.ts';

/** What the messages of a connection leave by: one socket, spoken to in one way. Never throws. */
export interface Wire {
  /** Whether the socket takes anything. */
  readonly isOpen: boolean;
  /** What the socket has taken and not yet given to the network, in bytes. */
  readonly bufferedBytes: number;
  /** Whether the peer takes further messages at present. */
  readonly hasRoom: boolean;
  /** Whether nothing that was handed over waits for an answer that it needs. */
  readonly isSettled: boolean;
  /** Messages whose fate hangs on this socket. */
  readonly size: number;
  /** Hands over what `take` gives, until it gives nothing more or no more can be taken. @returns How many bytes. */
  write(take: () => OutboundMessage | undefined): number;
  /** Hands over a message that is not worth keeping. */
  writeVolatile(message: OutboundMessage): void;
  /** Finds out what has left the socket's buffer, and goes on looking while that is of interest. */
  look(): void;
  /** Calls back once there is room again, here and at the peer; `look` must be called to begin. @returns Takes that back. */
  onceRelieved(lowWaterBytes: number, relieved: () => void): () => void;
  /** The socket is gone. `wasRead`: the peer has read everything before its end. @returns What it leaves in doubt, in order. */
  lost(ending: { wasRead: boolean }): OutboundMessage[];
}

/** What a wire tells of messages; each once. */
export interface WireReports {
  /** It has left the socket, which is all that will be known of it. */
  sent(message: OutboundMessage): void;
  /** It did not leave. `message` and `cause` say more of that. */
  refused(
    message: OutboundMessage,
    code: 'SEND_FAILED' | 'MESSAGE_TOO_BIG' | 'VOLATILE_DROPPED',
    details?: Pick<ErrorDetails, 'message' | 'cause'>,
  ): void;
  /** The socket died while it took it. */
  orphaned(message: OutboundMessage): void;
}

/** Messages that were handed over and are not acknowledged. */
export interface Kept {
  readonly size: number;
  unacknowledged(): OutboundMessage[];
}
