import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { AuditEntry } from '../../src/audit/chain.ts';
import type { AuditRecord } from '../../src/audit/record.ts';
import { Scenes, type ScenesOptions } from '../../src/audit/scenes.ts';
import { realStory, Story, storyTime } from '../support/audit-story.ts';

const recordsOf = (lines: readonly string[]): AuditRecord[] =>
  lines.map((line) => (JSON.parse(line) as AuditEntry).record);

function played(records: readonly AuditRecord[], options: Partial<ScenesOptions> = {}): Scenes {
  const isWanted = (_: string, machine: string): boolean => machine === 'connection';
  const scenes = new Scenes({ isWanted, from: -Infinity, to: Infinity, ...options });
  for (const record of records) scenes.take(record);
  return scenes;
}

describe('scenes', () => {
  test('are of the actor with most turns, from its beginning on', async () => {
    const story = await realStory();
    const cast = played(recordsOf(story)).longest;
    expect(cast?.actor).toBe('service/group:1/connection:terminal:one');
    expect(cast?.scenes).toHaveLength(1);
    expect(cast?.scenes[0]).toMatchObject({ begins: 'idle', start: { input: { id: 'terminal:one' } } });
    expect(cast?.scenes[0]?.turns).toHaveLength(cast?.turns ?? 0);
  });

  test('begin with a state on record where the beginning is not, and anew after a gap', () => {
    const log = new Story().step(1, 'connecting').state(2, 'open').step(3, 'waiting').state(4, 'waiting');
    log.step(5, 'connecting').add(6, { kind: 'gap', lost: 1, since: storyTime(5) });
    log.step(7, 'open').state(8, 'open').step(9, 'closing').ended(9.5).step(10, 'closed');
    const { scenes, turns } = played(recordsOf(log.lines)).longest ?? {};
    expect(scenes?.map((scene) => [scene.at, scene.turns.length])).toEqual([
      [storyTime(2), 2],
      [storyTime(8), 1],
    ]);
    expect(turns).toBe(3);
  });

  test('begin in the state that the actor had come to by the time asked about', async () => {
    const story = await realStory();
    const { longest } = played(recordsOf(story), { from: storyTime(6), to: storyTime(10) });
    expect(longest?.scenes[0]).toMatchObject({
      ...{ begins: { backoff: 'told' } },
      start: { to: { backoff: 'told' }, context: { generation: 1, retries: 1 }, children: ['outbox'] },
    });
    expect(longest?.scenes[0]?.turns.every(({ at }) => at >= storyTime(6) && at <= storyTime(10))).toBe(true);
  });

  test('are kept of those that have most, and a thousand turns of each', () => {
    const log = new Story().started(0);
    for (let turn = 0; turn < 1_100; turn++) log.step(turn, 'connecting');
    const records = recordsOf(log.lines);
    const renamed = Array.from({ length: 25 }, (_, index) =>
      records.slice(0, index === 7 ? 1_101 : 1_000).map((record) => ({ ...record, actor: `${index}` }) as AuditRecord),
    );
    const { longest } = played(renamed.flat());
    expect([longest?.actor, longest?.turns, longest?.kept]).toEqual(['7', 1_100, 1_000]);
  });

  test('of nonsense are none', () => {
    const odd = fc.jsonValue();
    const kind = fc.constantFrom('started', 'step', 'state', 'stopped', 'gap');
    const actor = fc.oneof(fc.constant('a'), odd);
    const machine = fc.oneof(fc.constant('connection@1'), odd);
    const event = fc.oneof(fc.record({ type: fc.oneof(fc.constant('restore'), odd), input: odd, failure: odd }), odd);
    const record = fc.record({
      kind,
      actor,
      machine,
      event,
      at: odd,
      to: odd,
      context: odd,
      children: odd,
      effects: odd,
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 10 }), fc.double(), (records, from) => {
        played(records as never, { from });
      }),
    );
  });
});
