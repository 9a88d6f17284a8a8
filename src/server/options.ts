import type { HoldfastError } from '../errors.ts';
import { platformClock, type StoreClock } from './clock.ts';
import type { HandshakeRequest } from './socket.ts';
import type { SessionStore } from './store.ts';
import { nameFrom, platformRandom, type RandomBytes } from './tokens.ts';

/** What a client says of itself. */
export interface Credentials {
  /** The token of `hello`, of a refresh, or of a channel; of a channel without one, the last that was accepted on its socket. Absent when the client has none. */
  auth: string | undefined;
  meta: Readonly<Record<string, string>>;
  request: HandshakeRequest;
  /** Whether it asks for a session that it had before. */
  resume: boolean;
  /** The channel that it opens, when that is what it asks for. */
  channel?: { name: string; service: string };
}

/** Who a client is. */
export interface Identity {
  /** Sessions belong to it, and idempotency keys. */
  principal: string;
  /** Until when that holds, in ms since 1970. @default for ever */
  expiresAt?: number;
}

export interface ServerLimits {
  /** Bytes of a frame as it travels. @default 262_144 */
  frameBytes: number;
  /** Bytes of a frame once it is inflated. @default 1_048_576 */
  inflatedBytes: number;
  /** Messages of a client that may be unacknowledged. @default 2_048 */
  windowMessages: number;
  /** Bytes of them, as they stand in their frames. @default 1_048_576 */
  windowBytes: number;
  /** Messages of a client in a second on the average; twice as many at once. Past it the socket is closed with 4101. @default Infinity */
  messagesPerSecond: number;
  /** Sessions of one principal on this node. Past it a new one is refused with 4007. @default Infinity */
  sessionsPerPrincipal: number;
  /** Bytes that wait for a client, in its socket and before it. Past it the socket is closed with 4102. @default 16 MiB */
  bufferedBytes: number;
  /** Channels of one session, beside its own. @default 64 */
  channelsPerSession: number;
  /** From the greeting to `hello`, in ms; then the socket is closed with 4204. @default 10_000 */
  helloMs: number;
}

/** What a server goes by, less what hears of sessions and sockets. */
export interface ServerOptions {
  /**
   * Says who a client is: on every `hello`, one that resumes included, for a fresh token, and for every channel that is not open yet, which then is in
   * `channel`. `null`: nobody; for a channel, nobody who may have it, as is another principal than the session's. A token may be asked about
   * several times. What it throws goes to `onError`, and the client is asked to come back later.
   */
  authenticate: (credentials: Credentials) => Identity | null | Promise<Identity | null>;
  limits?: Partial<ServerLimits>;
  /** How long a client may be silent before it pings, and how long it waits for the answer, in ms. @default 25_000 and 10_000 */
  ping?: { intervalMs?: number; timeoutMs?: number };
  /** How long a session is kept without a socket, in ms. @default 120_000 */
  ttlMs?: number;
  /** @default a `MemoryStore` of its own */
  store?: SessionStore;
  /** The name of this node. @default random */
  node?: string;
  /**
   * Whether batches may be compressed: those of 1 KiB and more, each by itself. With `windows`, so many sockets at a time, at least 1, may have short ones
   * compressed as well, with what went before on them in mind, if their clients ask for that. Each takes some 300 kB of memory while it is open,
   * and the sizes of its frames tell what they have in common: nothing secret should travel beside what others may choose. @default false
   */
  compression?: boolean | { windows: number };
  /** Which pages may connect, by the `Origin` of their handshake; those without one are no pages. @default all */
  origins?: readonly string[] | ((origin: string) => boolean);
  /** @default the platform's */
  clock?: StoreClock;
  /** Hears what went wrong where nobody waits for an answer: what the application's code threw, what a store refused. @default nobody */
  onError?: (error: HoldfastError) => void;
  /** Where tokens come from. @default WebCrypto */
  random?: RandomBytes;
}

/** The options with nothing left open. */
export interface ServerSettings {
  limits: ServerLimits;
  ping: { intervalMs: number; timeoutMs: number };
  ttlMs: number;
  node: string;
  compression: boolean;
  /** How many sockets may have a window at a time. */
  windows: number;
  clock: StoreClock;
  random: RandomBytes;
  isOriginAllowed: (origin: string | undefined) => boolean;
}

const DEFAULT_LIMITS: ServerLimits = {
  frameBytes: 262_144,
  inflatedBytes: 1_048_576,
  windowMessages: 2_048,
  windowBytes: 1_048_576,
  messagesPerSecond: Infinity,
  sessionsPerPrincipal: Infinity,
  bufferedBytes: 16_777_216,
  channelsPerSession: 64,
  helloMs: 10_000,
};

/** Fills in the defaults. */
export function settingsOf(options: ServerOptions): ServerSettings {
  const {
    limits,
    ping,
    ttlMs = 120_000,
    compression = false,
    clock = platformClock,
    random = platformRandom,
  } = options;
  return {
    limits: { ...DEFAULT_LIMITS, ...limits },
    ping: { intervalMs: 25_000, timeoutMs: 10_000, ...ping },
    ttlMs,
    compression: compression !== false,
    windows: typeof compression === 'object' ? compression.windows : 0,
    clock,
    random,
    node: options.node ?? nameFrom(random),
    isOriginAllowed: originCheck(options.origins),
  };
}

function originCheck(origins: ServerOptions['origins']): ServerSettings['isOriginAllowed'] {
  if (origins === undefined) return () => true;
  const isListed = typeof origins === 'function' ? origins : (origin: string) => origins.includes(origin);
  return (origin) => origin === undefined || isListed(origin);
}
