import { judgeClosing, judgeEnding, judgeHeartbeat, judgeIdle, judgeRoundTrips, judgeWire, WIRE } from './conduct.ts';
import type { Scene } from './scene.ts';
import type { Finding, StepId } from './step.ts';
import type { Visit } from './visit.ts';

/** An open connection, and what is known of it. */
interface Watch extends Scene {
  visit: Visit;
  /** Whether the server selected `holdfast.v1`. */
  isSelected: boolean;
}

/** How long something is waited for that a server may say unasked. */
export const MOMENT_MS = 500;

const OUT_OF_TIME: Finding = {
  verdict: 'warning',
  detail: 'the time of the run was up',
  advice: 'Give the run more time: --timeout.',
};
const CUT = { code: 1006, reason: '', problem: 'no answer to a ping after the silence' };

const STEPS: readonly [StepId, (watch: Watch) => Promise<Finding>][] = [
  ['wire', hear],
  ['round-trip', measure],
  ['idle', idle],
];

/** Watches a connection for as long as it is open, notes what it finds, and closes. */
export async function observe(scene: Scene, visit: Visit, isSelected: boolean): Promise<void> {
  const { journal, signal } = scene;
  for (const [id, look] of STEPS) {
    await journal.take(id, () => look({ ...scene, visit, isSelected }));
    if (visit.ending || signal.aborted) return;
  }
  journal.note('heartbeat', judgeHeartbeat(visit.heartbeat()));
  await journal.take('close', () => close(visit, signal));
}

async function hear({ visit, isSelected, options, signal }: Watch): Promise<Finding> {
  const ms = isSelected ? options.wireTimeoutMs : MOMENT_MS;
  const waitedMs = await visit.listen({ ms, signal });
  return unlessOver(
    visit,
    signal,
    judgeWire(visit.first, { isSelected, isWanted: options.protocols.includes(WIRE), waitedMs }),
  );
}

async function measure({ visit, options, signal }: Watch): Promise<Finding> {
  if (options.pings === 0) return { verdict: 'skipped', detail: '--pings is 0' };
  return unlessOver(visit, signal, judgeRoundTrips(await visit.ping(options.pings, signal)));
}

async function idle({ visit, options: { idleMs }, signal }: Watch): Promise<Finding> {
  if (idleMs === 0) return { verdict: 'skipped', detail: 'asked for by --idle' };
  if (visit.first?.greeting) return { verdict: 'skipped', detail: 'this wire ends a connection that says no hello' };
  const waitedMs = await visit.wait(idleMs, signal);
  if (signal.aborted) return OUT_OF_TIME;
  // a path may be cut without a word
  const isCut = !visit.ending && visit.isAnswering && (await visit.ping(1, signal)).samplesMs.length === 0;
  return judgeIdle(idleMs, visit.ending ?? (isCut ? CUT : null), waitedMs);
}

async function close(visit: Visit, signal: AbortSignal): Promise<Finding> {
  const closing = await visit.close(signal);
  if (visit.ending?.problem) return judgeEnding(visit.ending);
  return signal.aborted && closing.code === 1006 ? OUT_OF_TIME : judgeClosing(closing);
}

function unlessOver({ ending }: Visit, signal: AbortSignal, finding: Finding): Finding {
  if (ending) return judgeEnding(ending);
  return signal.aborted ? OUT_OF_TIME : finding;
}
