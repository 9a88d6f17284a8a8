import type { Emit } from './events.ts';
import type { Monitor } from './monitor.ts';
import type { DisconnectOptions } from './options.ts';
import type { ServiceSettings } from './settings.ts';
import type { ConnectionActor } from './group.ts';
import type { Clock } from './transport/clock.ts';

/** What a connection needs of the service it belongs to. */
export interface ConnectionHost {
  readonly clock: Clock;
  readonly emit: Emit;
  settings(): ServiceSettings;
  /**
   * The actor of this connection, made if there is none; `undefined` while the supervisor is busy making it.
   *
   * @throws {HoldfastError} `SERVICE_DESTROYED`
   */
  actor(): ConnectionActor | undefined;
  /** The application asks for it to open. @throws {ConfigurationError} `CONNECTION_LIMIT` */
  admit(): void;
  /** The application has asked for it to open. */
  opening(): void;
  /** The application asks for it to close, and that is about to begin. */
  closing(options: DisconnectOptions): void;
  /** Told when the state changes. */
  changed(): void;
  /** What is measured of it; `undefined` where nothing is. */
  monitor(): Monitor | undefined;
}
