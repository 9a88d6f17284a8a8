import type { ActorSystem, ActorSystemInfo, AnyActorRef } from 'xstate';

import type { HealthContext } from '../machines/health.ts';
import { monotonicNow, type Clock } from './transport/clock.ts';

// the wait of the health chart for the next probe, by the name that XState gives to the end of it
const WAIT = 'xstate.after.interval.health.';
const BEATS = 16;
// what is asked for sooner is wanted at its time, and there is little to share with
const SHORTEST_MS = 5_000;
// timers may go off a little before their time, and a link whose timer did is on the beat all the same
const TOLERANCE_MS = 2;

/**
 * Lets the probes of all connections fall on common moments, sixteen in an interval, for what wakes a process or a radio costs more than what is
 * done then. A wait ends at the last of these moments that is in it: no later than a timer may be, and by a sixteenth early at most; from then on the link keeps
 * the beat.
 */
export function keepBeat({ scheduler }: Pick<ActorSystem<ActorSystemInfo>, 'scheduler'>, clock: Clock): void {
  const schedule = scheduler.schedule.bind(scheduler);
  scheduler.schedule = (...timer) => {
    const [source, target, event, delayMs, id] = timer;
    const isShared = delayMs >= SHORTEST_MS && event.type.startsWith(WAIT) && !isListening(source);
    const waitMs = isShared ? waitToBeat(monotonicNow(clock), delayMs) : delayMs;
    schedule(source, target, event, waitMs, id);
  };
}

// who sends no probe, but listens for a peer that has promised to speak in time, is never prompt, and must not expect to hear sooner
function isListening(source: AnyActorRef): boolean {
  const { policy } = (source.getSnapshot() as { context: HealthContext }).context;
  return policy !== null && policy.promptMs > policy.intervalMs;
}

function waitToBeat(now: number, intervalMs: number): number {
  const apartMs = intervalMs / BEATS;
  return Math.max(0, Math.floor((now + intervalMs + TOLERANCE_MS) / apartMs) * apartMs - now);
}
