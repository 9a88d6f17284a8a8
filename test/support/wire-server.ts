import { onTestFinished } from 'vitest';

import type { HoldfastError } from '../../src/errors.ts';
import { MemoryStore } from '../../src/server/memory-store.ts';
import { createHoldfastServer, type HoldfastServer, type HoldfastServerOptions } from '../../src/server/server.ts';
import type { SessionStore } from '../../src/server/store.ts';
import type { Session } from '../../src/server/surface.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { until } from './deadline.ts';
import { WireClient, type Hello } from './wire-client.ts';
import { makeCompression } from './compression.ts';

/** A server in memory, with everything that it tells. */
export interface WireServer {
  server: HoldfastServer;
  clock: SimulatedClock;
  store: SessionStore;
  errors: HoldfastError[];
  /** Each session, in order of appearance. */
  sessions: Session[];
  /** Why sessions ended, in order. */
  ended: string[];
  /** Opens a socket, and says nothing. */
  connect: () => WireClient;
  /** Opens a socket, and asks for a session. */
  join: (hello?: Partial<Hello>) => Promise<WireClient>;
  /** Opens a socket, and resumes the session of another one. */
  resume: (
    before: WireClient,
    given?: Partial<NonNullable<Hello['resume']>>,
    hello?: Partial<Hello>,
  ) => Promise<WireClient>;
  /** Lets everything happen that needs no time. */
  settle: () => Promise<void>;
}

/** Starts a server whose clients are whoever they say they are, but for `nobody`. It is closed when the test is over. */
export function startWireServer(
  options: Partial<HoldfastServerOptions> = {},
  {
    clock = new SimulatedClock(),
    store = new MemoryStore({ clock }),
  }: { clock?: SimulatedClock; store?: SessionStore } = {},
): WireServer {
  const errors: HoldfastError[] = [];
  const sessions: Session[] = [];
  const ended: string[] = [];
  const server = createHoldfastServer({
    clock,
    store,
    authenticate: ({ auth = 'ann' }) => (auth === 'nobody' ? null : { principal: auth }),
    onError: (error) => errors.push(error),
    ...options,
    onSession: (session) => {
      sessions.push(session);
      options.onSession?.(session);
    },
  });
  server.on('ended', ({ why }) => ended.push(why));
  const settle = (): Promise<void> => clock.advanceAsync(0);
  const connect = (): WireClient =>
    new WireClient(server, { compression: options.compression ? makeCompression({ hasWindow: false }) : null });
  const join: WireServer['join'] = async (hello) => {
    const client = connect();
    // what compresses is loaded in its own time
    if (options.compression) await until('it is greeted', () => client.frames.length > 0);
    client.hello(hello);
    await settle();
    return client;
  };
  const resume: WireServer['resume'] = (before, given, hello) => {
    const { sid, tok, ep } = before.welcome;
    return join({ nonce: 'n2', resume: { sid, tok, ep, rx: 0, lo: 1, hi: 0, ...given }, ...hello });
  };
  onTestFinished(async () => {
    const closed = server.close();
    await clock.advanceAsync(1_000);
    await closed;
    await store.close();
  });
  return { server, clock, store, errors, sessions, ended, connect, join, resume, settle };
}
