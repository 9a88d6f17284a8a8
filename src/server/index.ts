/** The server's end of `holdfast.v1`. */
export type { SessionEnd } from '../../machines/session.ts';
export { ConfigurationError, HoldfastError, MessageError, type FrameData } from '../errors.ts';
export { CloseCode, WireClose } from '../protocol/close-codes.ts';
export type { StoreClock } from './clock.ts';
export type { HandlerOptions, MessageHandler, RequestHandler } from './mailbox.ts';
export { MemoryStore, type MemoryStoreOptions } from './memory-store.ts';
export type {
  Acknowledge,
  AskOptions,
  InboundMessage,
  InboundRequest,
  MessageOptions,
  SessionReceipt,
} from './message.ts';
export type { Credentials, Identity, ServerLimits } from './options.ts';
export {
  createHoldfastServer,
  HoldfastServer,
  type BroadcastOptions,
  type DrainOptions,
  type HoldfastServerOptions,
  type ServerEvents,
} from './server.ts';
export type { HandshakeRequest, ServerSocket, SocketEvents } from './socket.ts';
export type {
  OpenWish,
  OwnedSession,
  ResumeAnswer,
  ResumeClaim,
  ResumeRefusal,
  SessionStore,
  StoredMessage,
  StoreEvents,
  WriteRefusal,
} from './store.ts';
export type { Channel, Exchange, Session, SessionEvents } from './surface.ts';
export type { RandomBytes } from './tokens.ts';
