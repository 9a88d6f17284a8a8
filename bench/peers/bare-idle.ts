/** Connections that nothing is sent on, with as little around them as can be. */
import { assign, createActor, fromCallback, setup } from 'xstate';
import type { WebSocket } from 'ws';

import { openWsSocket, wsEnd } from './sockets.ts';
import type { ClientEars, ClientEnd } from './ends.ts';

// the default of `heartbeat.intervalMs`
const BEAT_MS = 25_000;
// all connections of a process beat at so many moments of an interval: who wakes it does so for many
const MOMENTS = 16;
// those of a connection on `holdfast.v1`, this one aside
const OTHER_ACTORS = 8;

/** A bare `ws` that pings, and takes the round trip. */
export async function openPinging(url: string, ears: ClientEars): Promise<ClientEnd> {
  const socket = await openWsSocket(url);
  const beat = beating(socket, (ping) => {
    ping();
  });
  return closing(wsEnd(socket, ears), beat);
}

const idle = setup({}).createMachine({ initial: 'idle', states: { idle: {} } });

const watched = setup({
  types: {
    context: {} as { rttMs: number },
    events: {} as { type: 'due'; ping: () => void } | { type: 'ponged'; rttMs: number },
  },
  actions: { take: assign(({ event }) => (event.type === 'ponged' ? { rttMs: event.rttMs } : {})) },
  actors: { probe: fromCallback<{ type: 'never' }, { ping: () => void }>(({ input }) => input.ping()) },
}).createMachine({
  context: { rttMs: 0 },
  initial: 'quiet',
  states: {
    quiet: { on: { due: 'asking' } },
    asking: {
      invoke: {
        src: 'probe',
        input: ({ event }) => ({ ping: event.type === 'due' ? event.ping : () => undefined }),
      },
      on: { ponged: { target: 'quiet', actions: 'take' } },
    },
  },
});

/** The same with as many XState actors as a connection on `holdfast.v1` has: eight do nothing, and one takes two events of each beat. */
export async function openWithActors(url: string, ears: ClientEars): Promise<ClientEnd> {
  const socket = await openWsSocket(url);
  const actor = createActor(watched).start();
  const others = Array.from({ length: OTHER_ACTORS }, () => createActor(idle).start());
  const beat = beating(
    socket,
    (ping) => {
      actor.send({ type: 'due', ping });
    },
    (rttMs) => {
      actor.send({ type: 'ponged', rttMs });
    },
  );
  return closing(wsEnd(socket, ears), () => {
    beat();
    for (const one of [actor, ...others]) one.stop();
  });
}

function beating(
  socket: WebSocket,
  due: (ping: () => void) => void,
  ponged: (rttMs: number) => void = () => undefined,
): () => void {
  let askedAt = 0;
  socket.on('pong', () => {
    ponged(performance.now() - askedAt);
  });
  return beats.join(() => {
    due(() => {
      askedAt = performance.now();
      socket.ping();
    });
  });
}

class Beats {
  readonly #groups = Array.from({ length: MOMENTS }, () => new Set<() => void>());
  #joined = 0;
  #moment = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @returns Leaves them. */
  join(beat: () => void): () => void {
    const group = this.#groups[this.#joined++ % MOMENTS];
    group?.add(beat);
    this.#timer ??= setInterval(() => {
      for (const due of this.#groups[this.#moment++ % MOMENTS] ?? []) due();
    }, BEAT_MS / MOMENTS);
    return () => {
      group?.delete(beat);
      if (this.#groups.some(({ size }) => size > 0)) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }
}

const beats = new Beats();

function closing(end: ClientEnd, before: () => void): ClientEnd {
  return {
    ...end,
    close: () => {
      before();
      return end.close();
    },
  };
}
