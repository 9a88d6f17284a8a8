import type { Target } from './address.ts';
import type { WebSocketClass } from './handshake.ts';
import type { Journal } from './journal.ts';
import type { DoctorOptions } from './options.ts';
import type { Tame } from './secrecy.ts';

/** What every step of an examination has at hand. */
export interface Scene {
  target: Target;
  options: DoctorOptions;
  journal: Journal;
  WebSocket: WebSocketClass;
  /** As whom it presents itself. */
  userAgent: string;
  tame: Tame;
  /** Ends it early. */
  signal: AbortSignal;
}
