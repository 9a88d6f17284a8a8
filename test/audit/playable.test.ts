import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { START } from '../../src/audit/chain.ts';
import { isPlayable } from '../../src/audit/playable.ts';
import { replay } from '../../src/audit/replay.ts';
import { loose } from '../support/audit-chain.ts';

const actor = { actor: 'a', machine: 'connection@1', to: 'idle' };

describe('a record', () => {
  test('can be played where it has what that takes', () => {
    const event = { type: 'connect' };
    const whole: object[] = [
      { kind: 'step', ...actor, event, effects: ['stop turn'] },
      { kind: 'state', ...actor, context: {}, children: [] },
      { kind: 'gap' },
    ];
    const wanting: object[] = [
      { kind: 'step', ...actor },
      { kind: 'step', ...actor, machine: 7, event },
      { kind: 'started', ...actor, event, effects: [7] },
      { kind: 'state', ...actor, context: {} },
    ];
    expect(whole.map((record) => isPlayable(record as never))).toEqual([true, true, true]);
    expect(wanting.map((record) => isPlayable(record as never))).toEqual([false, false, false, false]);
  });

  test('of nonsense is skipped by a replay, and nothing throws', async () => {
    const odd = fc.jsonValue();
    const shape = {
      kind: fc.constantFrom('started', 'step', 'state', 'stopped', 'died'),
      actor: fc.oneof(fc.constant('a'), odd),
      machine: fc.oneof(fc.constant('connection@1'), odd),
      event: fc.oneof(fc.record({ type: odd }), fc.record({ type: fc.constant('connect'), input: odd }), odd),
      ...{ from: odd, to: odd, context: odd, children: odd, effects: odd, delays: odd, transitions: odd },
    };
    const records = fc.array(fc.record(shape, { requiredKeys: ['kind'] }), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(records, async (nonsense) => {
        const lines = nonsense.map((record) => loose(START, record as never));
        expect(await replay(lines)).toHaveProperty('verdict');
      }),
    );
    expect(await replay([loose(START, { kind: 'started' })])).toMatchObject({ verdict: 'empty', skipped: 1 });
  });
});
