import { expect, onTestFinished } from 'vitest';

import { createAuditLog } from '../../src/audit/log.ts';
import { hashes, type Hashes } from '../../src/audit/definitions.ts';
import { Observation, type ObservableSystem, type Turn } from '../../src/audit/observation.ts';
import type { AuditRecord } from '../../src/audit/record.ts';
import { Recorder } from '../../src/audit/recorder.ts';
import { Redaction } from '../../src/audit/redaction.ts';
import { replay, Replaying, type Divergence } from '../../src/audit/replay.ts';
import { verify } from '../../src/audit/verify.ts';
import type { EnhancedWebSocketService } from '../../src/service.ts';

const known = hashes() as Hashes;

/** Follows the actors of a service, without a timer of its own. @returns What the machines do differently from what they did, so far. */
export function rehearsed({ system }: { system: ObservableSystem }): () => Divergence[] {
  const redaction = new Redaction();
  const recorder = new Recorder(redaction, known);
  const bodies: string[] = [];
  const based = new WeakSet();
  const record = (turn: Turn): void => {
    const { actor = turn, base, body } = recorder.item(turn, { at: 0, mono: 0 });
    if (base && !based.has(actor)) bodies.push(base());
    if (base !== undefined) based.add(actor);
    bodies.push(body);
  };
  const observation = new Observation(system, { name: 'service', nameOf: (id) => redaction.name(id) }, record);
  return () => {
    observation.end();
    const replaying = new Replaying(known);
    for (const [seq, body] of bodies.entries()) replaying.take(JSON.parse(body) as AuditRecord, seq);
    const { divergences, skipped } = replaying.result;
    expect(skipped).toBe(0);
    return divergences;
  };
}

/**
 * A service whose audit log is verified and replayed when the test is over, and which is destroyed by then: every transition that it took, whatever happened to it, is the one that
 * its machines take.
 */
export function audited(service: EnhancedWebSocketService): EnhancedWebSocketService {
  const lines: string[] = [];
  const troubles: unknown[] = [];
  const log = createAuditLog({
    sinks: [{ name: 'test', append: (more) => void lines.push(...more) }],
    onError: (error) => troubles.push(error),
  });
  log.attach(service);
  onTestFinished(async () => {
    await service.destroy({ deadlineMs: 0 });
    await log.close();
    const { verdict, problems } = await verify(lines);
    const { divergences, skipped } = await replay(lines);
    expect({ verdict, problems, divergences, skipped, troubles }).toEqual({
      verdict: 'intact',
      problems: [],
      divergences: [],
      skipped: 0,
      troubles: [],
    });
  });
  return service;
}
