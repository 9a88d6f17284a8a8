import { hashes, type Hashes } from '../../src/audit/definitions.ts';
import { Observation, type ObservableSystem, type Turn } from '../../src/audit/observation.ts';
import type { AuditRecord } from '../../src/audit/record.ts';
import { Recorder } from '../../src/audit/recorder.ts';
import { Redaction } from '../../src/audit/redaction.ts';
import { Replaying, type Divergence } from '../../src/audit/replay.ts';

const known = hashes() as Hashes;

/** Follows the actors of a service, without a timer of its own, and tells of each turn. @returns What the machines do differently from what they did, so far. */
export function rehearsed(
  { system }: { system: ObservableSystem },
  heard: (turn: Turn) => void = () => undefined,
): () => Divergence[] {
  const redaction = new Redaction();
  const recorder = new Recorder(redaction, known);
  const bodies: string[] = [];
  const based = new WeakSet();
  const record = (turn: Turn): void => {
    const { actor = turn, base, body } = recorder.item(turn, { at: 0, mono: 0 });
    if (base && !based.has(actor)) bodies.push(base());
    if (base !== undefined) based.add(actor);
    bodies.push(body);
    heard(turn);
  };
  const observation = new Observation(system, { name: 'service', nameOf: (id) => redaction.name(id) }, record);
  return () => {
    observation.end();
    const replaying = new Replaying(known);
    for (const [seq, body] of bodies.entries()) replaying.take(JSON.parse(body) as AuditRecord, seq);
    const { divergences, skipped } = replaying.result;
    if (skipped > 0) throw new Error(`${skipped} records were passed over.`);
    return divergences;
  };
}
