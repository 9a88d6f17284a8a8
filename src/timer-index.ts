import type { ActorSystem, ActorSystemInfo, AnyActorRef } from 'xstate';

/**
 * Lets an actor system find the timers of an actor that stops by the actor. By itself XState looks at every timer of the system, of
 * all connections, each time that any actor stops: what one connection costs grows with their number.
 */
export function indexTimers({ scheduler }: Pick<ActorSystem<ActorSystemInfo>, 'scheduler'>): void {
  const timers = new WeakMap<AnyActorRef, Set<string>>();
  const schedule = scheduler.schedule.bind(scheduler);
  const cancel = scheduler.cancel.bind(scheduler);
  let unnamed = 0;
  scheduler.schedule = (...timer) => {
    const [source, target, event, delay, id = `unnamed.${unnamed++}`] = timer;
    const present = timers.get(source);
    if (present) present.add(id);
    else timers.set(source, new Set([id]));
    schedule(source, target, event, delay, id);
  };
  scheduler.cancel = (source, id) => {
    timers.get(source)?.delete(id);
    cancel(source, id);
  };
  // those that have fired are among them, and are not found any more; a chart has few names for its timers
  scheduler.cancelAll = (source) => {
    for (const id of timers.get(source) ?? []) cancel(source, id);
    timers.delete(source);
  };
}
