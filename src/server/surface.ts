import type { SessionEnd } from '../../machines/session.ts';
import type { HandlerOptions, MessageHandler, RequestHandler } from './mailbox.ts';
import type { AskOptions, InboundMessage, InboundRequest, MessageOptions, SessionReceipt } from './message.ts';

/** What a session tells of its life, by event. */
export interface SessionEvents {
  /** Its socket is gone; it waits for another. */
  detached: { sid: string };
  /** Another socket carries it. */
  resumed: { sid: string; gen: number };
  /** It is over, for this node. Nothing follows. */
  ended: { sid: string; why: SessionEnd };
}

/** How messages are exchanged: by a session on its own channel, and by each further channel of it. */
export interface Exchange extends AsyncIterable<InboundMessage | InboundRequest> {
  /** Sends text, bytes, or any value that JSON can hold. Never throws: what is refused is told by the receipt. */
  send(data: unknown, options?: MessageOptions): SessionReceipt;
  /** Hands messages to `handler` from now on, in place of the one before. What came until then is handed over at once. @returns Ends that. @throws {ConfigurationError} `INVALID_OPTIONS` */
  onMessage(handler: MessageHandler): () => void;
  /** Hands requests to `handler`; what it returns is the reply. Without one they are messages like any other. @returns Ends that. @throws {ConfigurationError} `INVALID_OPTIONS` */
  onRequest(handler: RequestHandler): () => void;
}

/**
 * One of several streams of messages that share a session. Its messages are accepted, and acknowledged, when they are in its queue here, and
 * not when they are processed: acknowledgements count the messages of the whole session in order, so that a slow channel would hold
 * up all the others. What was accepted is handed over even when the channel or its session has ended, unless the application ended it.
 */
export interface Channel extends Exchange {
  readonly name: string;
  /** What the client opened it for. */
  readonly service: string;
  /** Whether it can be used for sending. */
  readonly isOpen: boolean;
  /** Ends it: what waits in its queue is forgotten, and the client is told once it has acknowledged, or refused, what was sent before. */
  close(why?: string): void;
  /** Hears, once, that nothing can be sent by it any more. What it had accepted by then may still be on its way to a handler or a loop. @returns Removes the listener. */
  onClosed(listener: () => void): () => void;
}

/** What a server and one client share over any number of sockets. */
export interface Session extends Exchange {
  readonly id: string;
  readonly principal: string;
  /** `attached` while a socket carries it. */
  readonly state: 'attached' | 'detached' | 'ended';
  /** Whether another node had it before. */
  readonly isInherited: boolean;
  /** Messages to the client that it has not acknowledged. */
  readonly unacknowledged: number;
  onMessage(handler: MessageHandler, options?: HandlerOptions): () => void;
  onRequest(handler: RequestHandler, options?: HandlerOptions): () => void;
  /**
   * Sends now or never: without a position, an acknowledgement or a repetition. @returns Whether there was a socket that took it.
   *
   * @throws {MessageError} `NOT_ENCODABLE` when it cannot travel.
   */
  sendVolatile(data: unknown, options?: MessageOptions): boolean;
  /** Sends a request. @returns The data of the reply. Rejects when it failed, did not come in time, or the session ended. */
  request(data: unknown, options?: AskOptions): Promise<unknown>;
  /** The channel of that name, if it is open. */
  channel(name: string): Channel | undefined;
  /** Hears of each channel that the client opens. Without a listener channels are refused. @returns Removes it. */
  onChannel(listener: (channel: Channel) => void): () => void;
  /**
   * @returns Removes the listener.
   * @throws {ConfigurationError} `INVALID_OPTIONS` for an event that there is not, or a listener that is no function.
   */
  on<Type extends keyof SessionEvents>(type: Type, listener: (event: SessionEvents[Type]) => unknown): () => void;
  /** Ends the session once the client has acknowledged what was sent, or after 5 s; what nobody has taken by then is forgotten. Resolves when it is over. */
  close(options?: { code?: number; why?: string }): Promise<void>;
}
