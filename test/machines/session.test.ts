import { createActor, fromCallback, initialTransition, type EventObject, type SnapshotFrom } from 'xstate';
import { describe, expect, test } from 'vitest';

import { sessionMachine, type SessionEvent, type SessionInput } from '../../machines/session.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { leafOf, stepThrough, type Step } from '../support/machine-graph.ts';

type SessionSnapshot = SnapshotFrom<typeof sessionMachine>;

const newer = (gen: number): SessionEvent => ({ type: 'socket.attached', gen });
const lost = (gen: number): SessionEvent => ({ type: 'socket.lost', gen });
const edge = (type: Exclude<SessionEvent['type'], 'socket.attached' | 'socket.lost'>): SessionEvent => ({ type });

const ways = {
  replaying: [],
  live: [edge('caughtUp')],
  closing: [edge('close')],
  detached: [lost(1)],
} as const satisfies Record<string, readonly SessionEvent[]>;
type Leaf = keyof typeof ways;

type Row = readonly [given: Leaf, on: SessionEvent, next: string, why: string | null, effects: readonly string[]];

const restart = ['stop traffic', 'reportResumed', 'start traffic'];
const over = ['stop traffic', 'finish'];

const rows: Row[] = [
  ['replaying', edge('caughtUp'), 'live', null, []],
  ['replaying', lost(1), 'detached', null, ['stop traffic', 'reportDetached']],
  ['replaying', newer(2), 'replaying', null, restart],
  ['live', newer(2), 'replaying', null, restart],
  ['live', edge('close'), 'closing', null, ['start settling']],
  ['live', edge('bye'), 'ended', 'closed_by_peer', over],
  ['live', edge('expired'), 'ended', 'expired', over],
  ['live', edge('takenOver'), 'ended', 'taken_over', over],
  ['live', edge('overflowed'), 'ended', 'overflow', over],
  ['live', edge('released'), 'ended', 'released', over],
  ['closing', edge('settled'), 'ended', 'closed', ['stop settling', ...over]],
  ['closing', lost(1), 'ended', 'closed', ['stop settling', ...over]],
  ['closing', newer(2), 'ended', 'closed', ['stop settling', ...over]],
  ['closing', edge('bye'), 'ended', 'closed_by_peer', ['stop settling', ...over]],
  ['detached', newer(2), 'replaying', null, ['reportResumed', 'start traffic']],
  ['detached', edge('close'), 'ended', 'closed', ['finish']],
  ['detached', edge('expired'), 'ended', 'expired', ['finish']],
  ['detached', edge('takenOver'), 'ended', 'taken_over', ['finish']],
  ['detached', edge('overflowed'), 'ended', 'overflow', ['finish']],
  ['detached', edge('released'), 'ended', 'released', ['finish']],
];

// what comes from an older socket, or comes twice
const ignored: (readonly [Leaf, SessionEvent])[] = [
  ['replaying', newer(1)],
  ['live', lost(7)],
  ['live', newer(1)],
  ['live', edge('caughtUp')],
  ['live', edge('settled')],
  ['closing', lost(7)],
  ['closing', newer(1)],
  ['closing', edge('close')],
  ['detached', newer(1)],
  ['detached', lost(1)],
  ['detached', edge('bye')],
  ['detached', edge('caughtUp')],
  ['detached', edge('settled')],
];

function stepped(...way: readonly SessionEvent[]): Step<SessionSnapshot> {
  const [start] = initialTransition(sessionMachine, { sid: 's1', gen: 1 });
  return stepThrough(sessionMachine, start, way);
}

const timerless = (effects: readonly string[]): string[] => effects.filter((name) => !/^(dis)?arm /.test(name)).sort();

describe('the session chart', () => {
  test.each(rows)('goes from %s, on %j, to %s (%s)', (given, on, next, why, effects) => {
    const { snapshot, effects: found } = stepped(...ways[given], on);
    expect([leafOf(snapshot), snapshot.context.why, timerless(found)]).toEqual([next, why, [...effects].sort()]);
  });

  test.each(ignored)('stays %s, and does nothing, on %j', (given, on) => {
    const { snapshot, effects } = stepped(...ways[given], on);
    expect([leafOf(snapshot), effects]).toEqual([given, []]);
  });

  test('knows the generation of the newest socket', () => {
    expect(stepped(newer(3), lost(3), newer(5)).snapshot.context).toEqual({ sid: 's1', gen: 5, why: null });
  });

  test('starts without input, as tools that only look at it start it', () => {
    const [{ value, context }] = initialTransition(sessionMachine, undefined as never);
    expect([value, context]).toEqual([{ attached: 'replaying' }, { sid: '', gen: 1, why: null }]);
  });
});

describe('the actors of a session', () => {
  test('are told which generation they carry, and nothing else', () => {
    const told: unknown[] = [];
    const note = fromCallback<EventObject, SessionInput>(({ input }) => void told.push(input));
    const actor = createActor(sessionMachine.provide({ actors: { traffic: note, settling: note } }), {
      input: { sid: 's1', gen: 1 },
    }).start();
    actor.send(newer(2));
    actor.send(edge('close'));
    actor.stop();
    expect(told).toEqual([
      { sid: 's1', gen: 1 },
      { sid: 's1', gen: 2 },
      { sid: 's1', gen: 2 },
    ]);
  });

  test('have 5 s to settle before the session ends all the same', () => {
    const clock = new SimulatedClock();
    const actor = createActor(sessionMachine, { clock, input: { sid: 's1', gen: 1 } }).start();
    actor.send(edge('close'));
    clock.advance(4_999);
    expect(actor.getSnapshot().status).toBe('active');
    clock.advance(1);
    expect([actor.getSnapshot().status, actor.getSnapshot().context.why, clock.pending()]).toEqual([
      'done',
      'closed',
      0,
    ]);
  });
});
