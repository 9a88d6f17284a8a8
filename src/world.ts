import type { RestartIntensity } from '../machines/group.ts';
import type { SignalSource } from './transport/signals.ts';

/** What the actors of one service act upon. They find it by their actor system: no chart and no event ever holds a port. */
export interface World<Ports = unknown> {
  readonly signals: SignalSource;
  /** Hears what the application's code throws. */
  report(cause: unknown): void;
  /** @throws When no connection has that id, which is a fault of ours. */
  portsOf(connectionId: string): Ports;
  /** An actor died of `cause`, and what it had begun was ended: let go of what is left. */
  died(connectionId: string, cause: unknown): void;
  /** It has been replaced. */
  restarted(connectionId: string, cause: unknown): void;
  /** It has not been replaced, and will not be. */
  buried(connectionId: string, cause: unknown): void;
  /** Because that has been done as often as it may. */
  escalated(connectionId: string, cause: unknown, intensity: RestartIntensity): void;
}

const worlds = new WeakMap<object, World>();

/** Tells the actors of a system, before its root starts, what they act upon. */
export function bindWorld(system: object, world: World): void {
  worlds.set(system, world);
}

/**
 * What the actors of this system act upon. `Ports` is the part of a connection's ports that the caller needs: this room does not
 * know them, for they are made of rooms that ask here.
 */
export function worldOf<Ports>(system: object): World<Ports> {
  const world = worlds.get(system);
  if (!world) throw new Error('No world is bound to this actor system.');
  return world as World<Ports>;
}
