import { describe, expect, test } from 'vitest';
import { createActor, createMachine } from 'xstate';

import { canonicalJson } from '../../src/audit/canonical.ts';
import { hashes, machineName, type Hashes } from '../../src/audit/definitions.ts';
import { Observation, type Turn } from '../../src/audit/observation.ts';
import { Recorder } from '../../src/audit/recorder.ts';
import { Redaction } from '../../src/audit/redaction.ts';
import { mortal } from '../support/mortal.ts';

const known = hashes() as Hashes;
const moment = { at: 5, mono: 6.5 };

async function turnsOf(): Promise<Turn[]> {
  const { r, die } = mortal();
  const turns: Turn[] = [];
  const observation = new Observation(r.service.system, { name: 'service' }, (turn) => turns.push(turn));
  await r.open();
  r.sockets.last.ends(1006, 'a reason');
  await r.reopen();
  await die();
  await r.destroy();
  observation.end();
  return turns;
}

describe('a record', () => {
  test('is canonical JSON, whatever it tells of', async () => {
    const recorder = new Recorder(new Redaction({ paths: ['context.retry'] }), known);
    const turns = await turnsOf();
    expect(new Set(turns.map(({ kind }) => kind))).toEqual(new Set(['started', 'step', 'stopped', 'died']));
    for (const turn of turns) {
      const { body, base, at, actor } = recorder.item(turn, moment);
      for (const text of base ? [body, base()] : [body]) {
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(JSON.parse(text)).toMatchObject({
          ...{ ...moment, v: 1, actor: turn.actor.path },
          machine: machineName(turn.actor.machine, known[turn.actor.machine]),
        });
      }
      expect([at, actor]).toEqual([5, turn.actor]);
      expect(base === null ? 'none' : base ? 'made' : 'not asked').toBe(
        { started: 'none', step: 'made', stopped: 'not asked', died: 'not asked' }[turn.kind],
      );
    }
  });

  test('says of a step where it was, where it is, what it took and what has changed', async () => {
    const recorder = new Recorder(new Redaction(), known);
    const turns = await turnsOf();
    for (const turn of turns.filter(({ kind }) => kind === 'step')) {
      const record = JSON.parse(recorder.item(turn, moment).body) as Record<string, unknown>;
      expect(record).toMatchObject({
        kind: 'step',
        from: turn.before?.value as unknown,
        to: turn.after.value as unknown,
      });
      expect((record['event'] as { type: string }).type).toBe(turn.event.type);
      expect('context' in record).toBe(turn.before?.context !== turn.after.context && 'context' in record);
      expect(record['source']).toBe(turn.source);
      const { generation } = turn.after.context as { generation?: number };
      expect(record['generation']).toBe(generation);
      if (turn.deeds.transitions.length > 0) expect(record).not.toHaveProperty('refused');
    }
    const closed = turns.find(({ event }) => JSON.stringify(event).includes('a reason')) as Turn;
    const { body } = recorder.item(closed, moment);
    expect(body).not.toContain('a reason');
    expect((JSON.parse(body) as { redacted: string[] }).redacted.every((path) => /reason|message/.test(path))).toBe(
      true,
    );
  });

  test('says how an actor was before, with all of its context and its children', async () => {
    const recorder = new Recorder(new Redaction(), known);
    const turn = (await turnsOf()).find(({ kind, actor }) => kind === 'step' && actor.machine === 'group') as Turn;
    const base = recorder.item(turn, moment).base?.() ?? '';
    expect(JSON.parse(base)).toMatchObject({
      ...{ kind: 'state', to: turn.before?.value as unknown, children: Object.keys(turn.before?.children as object) },
      context: JSON.parse(new Redaction().of(turn.before?.context, 'context').text) as object,
    });
  });

  test('of an end says whether it was reached', async () => {
    const recorder = new Recorder(new Redaction(), known);
    const stopped = (await turnsOf()).filter(({ kind }) => kind === 'stopped');
    for (const turn of stopped) {
      const record = JSON.parse(recorder.item(turn, moment).body) as { status: string };
      expect(record.status).toBe(turn.after.status === 'done' ? 'done' : 'stopped');
    }
  });

  test('of an unknown machine names none', () => {
    const machine = createMachine({ id: 'other', initial: 'a', states: { a: {} } });
    const after = createActor(machine).getSnapshot();
    const actor = { path: 'x', quoted: '"x"', machine: 'other' };
    const turn = {
      kind: 'started',
      actor,
      before: null,
      after,
      event: { type: 'xstate.init' },
      source: undefined,
    } as const;
    const deeds = { transitions: [], effects: [], delays: [] };
    const { body } = new Recorder(new Redaction(), known).item({ ...turn, deeds }, moment);
    expect(JSON.parse(body)).toMatchObject({ kind: 'started', machine: '', to: 'a' });
  });
});
