import { rig, type Rig, type RigOptions } from './service.ts';

interface SeenActor {
  id: string;
  send(event: object): void;
}

/** A service whose actors can be made to die. */
export interface Mortal<R extends Rig = Rig> {
  r: R;
  /** Gives a connection a policy without a backoff, of which its actor dies at the next failure. */
  poison: (connectionId?: string) => void;
  /** The same, and the newest socket is lost. */
  die: (connectionId?: string) => Promise<void>;
  /** Waits until the next attempt is made. */
  redial: () => Promise<void>;
  /** Kills an actor of that id which makes others, by a request that it cannot read. */
  kill: (actorId: string) => Promise<void>;
}

export function mortal(options?: RigOptions): Mortal;
export function mortal<R extends Rig>(options: RigOptions, make: (options: RigOptions) => R): Mortal<R>;
export function mortal(options: RigOptions = {}, make: (options: RigOptions) => Rig = rig): Mortal {
  const actors: SeenActor[] = [];
  const inspect = ({ type, actorRef }: { type: string; actorRef: unknown }): unknown =>
    type === '@xstate.actor' && actors.push(actorRef as SeenActor);
  const r = make({ ...options, inspect });
  const newest = (id: string): SeenActor | undefined => actors.findLast((seen) => seen.id === id);
  const poison = (id = 'terminal:one'): void => {
    newest(`connection:${id}`)?.send({ type: 'policy.changed', policy: { maxRetries: null } });
  };
  return {
    r,
    poison,
    die: async (id) => {
      poison(id);
      r.sockets.last.ends(1006);
      await r.settle();
    },
    redial: async () => {
      const before = r.sockets.all.length;
      for (let step = 0; step < 100 && r.sockets.all.length === before; step++) await r.clock.advanceAsync(100);
    },
    kill: async (id) => {
      newest(id)?.send({ type: 'connection.requested', input: { id: Symbol('no name') } });
      await r.settle();
    },
  };
}
