import { createActor, initialTransition, setup, type SnapshotFrom } from 'xstate';
import { describe, expect, test } from 'vitest';

import { healthMachine, type HealthEvent, type HeartbeatPolicy } from '../../machines/health.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { leafOf, stepThrough, type Step } from '../support/machine-graph.ts';

type HealthSnapshot = SnapshotFrom<typeof healthMachine>;

const policy: HeartbeatPolicy = { intervalMs: 25_000, promptMs: 25_000, lateMs: 2_500, timeoutMs: 10_000 };
const heard: HealthEvent = { type: 'link.heard' };
const probe: HealthEvent = { type: 'probe' };
const unanswered: HealthEvent = { type: 'link.unanswered', lateMs: 250, timeoutMs: 500 };
const load: HealthEvent = { type: 'link.laden', extraMs: 60_000 };
const watch: HealthEvent = { type: 'watch', policy: { ...policy, intervalMs: 5_000 } };
const pace: HealthEvent = { type: 'pace', policy: { ...policy, intervalMs: 60_000 } };

function elapsed(delay: string, state: string): HealthEvent {
  return { type: `xstate.after.${delay}.health.heartbeat.${state}` } as unknown as HealthEvent;
}

const ways = {
  quiet: [],
  probing: [probe],
  late: [probe, elapsed('late', 'doubted.probing')],
  overdue: [probe, elapsed('late', 'doubted.probing'), elapsed('dead', 'doubted.late')],
  dead: [
    probe,
    elapsed('late', 'doubted.probing'),
    elapsed('dead', 'doubted.late'),
    elapsed('grace', 'doubted.overdue'),
  ],
} satisfies Record<string, HealthEvent[]>;
type Leaf = keyof typeof ways;

interface Row {
  given: Leaf;
  on: HealthEvent;
  next: Leaf;
  effects: string[];
}

const rows: Row[] = [
  { given: 'quiet', on: probe, next: 'probing', effects: ['disarm interval', 'start probe', 'arm late'] },
  {
    given: 'quiet',
    on: elapsed('interval', 'quiet'),
    next: 'probing',
    effects: ['disarm interval', 'start probe', 'arm late'],
  },
  { given: 'quiet', on: unanswered, next: 'probing', effects: ['disarm interval', 'start probe', 'arm late'] },
  { given: 'probing', on: load, next: 'probing', effects: ['disarm late', 'arm late'] },
  { given: 'late', on: unanswered, next: 'late', effects: ['disarm dead', 'arm dead'] },
  { given: 'probing', on: unanswered, next: 'probing', effects: ['disarm late', 'arm late'] },
  { given: 'probing', on: heard, next: 'quiet', effects: ['disarm late', 'stop probe', 'arm interval'] },
  {
    given: 'probing',
    on: elapsed('late', 'doubted.probing'),
    next: 'late',
    effects: ['disarm late', 'raise link.missed', 'tell parent health.late', 'arm dead'],
  },
  {
    given: 'late',
    on: heard,
    next: 'quiet',
    effects: ['disarm dead', 'stop probe', 'tell parent health.recovered', 'arm interval'],
  },
  {
    given: 'late',
    on: elapsed('dead', 'doubted.late'),
    next: 'overdue',
    effects: ['disarm dead', 'arm grace'],
  },
  {
    given: 'overdue',
    on: heard,
    next: 'quiet',
    effects: ['disarm grace', 'stop probe', 'tell parent health.recovered', 'arm interval'],
  },
  {
    given: 'overdue',
    on: elapsed('grace', 'doubted.overdue'),
    next: 'dead',
    effects: ['disarm grace', 'stop probe', 'tell parent health.dead'],
  },
  { given: 'quiet', on: watch, next: 'quiet', effects: ['disarm interval', 'arm interval'] },
  { given: 'probing', on: watch, next: 'quiet', effects: ['disarm late', 'stop probe', 'arm interval'] },
  { given: 'late', on: watch, next: 'quiet', effects: ['disarm dead', 'stop probe', 'arm interval'] },
  { given: 'overdue', on: watch, next: 'quiet', effects: ['disarm grace', 'stop probe', 'arm interval'] },
  { given: 'quiet', on: pace, next: 'quiet', effects: ['disarm interval', 'arm interval'] },
];

const ignored: { given: Leaf; on: HealthEvent }[] = [
  { given: 'quiet', on: heard },
  { given: 'probing', on: probe },
  { given: 'late', on: probe },
  { given: 'overdue', on: probe },
  { given: 'dead', on: probe },
  { given: 'dead', on: heard },
  { given: 'dead', on: watch },
  { given: 'probing', on: pace },
  { given: 'late', on: pace },
  { given: 'overdue', on: pace },
  { given: 'dead', on: pace },
  { given: 'overdue', on: unanswered },
  { given: 'dead', on: unanswered },
];

function stepped(events: readonly HealthEvent[], watched: HeartbeatPolicy | null = policy): Step<HealthSnapshot> {
  const [start] = initialTransition(healthMachine, { connectionId: 'c1', policy: watched, isGraded: false });
  return stepThrough(healthMachine, start, events);
}

interface Watch {
  clock: SimulatedClock;
  told: string[];
  tell: (event: HealthEvent) => void;
  probes: () => boolean;
}

/** A health actor below a parent that writes down what it is told. */
function watching(watched: HeartbeatPolicy | null = policy): Watch {
  const clock = new SimulatedClock();
  const told: string[] = [];
  const parent = setup({ actors: { health: healthMachine } }).createMachine({
    invoke: { id: 'health', src: 'health', input: { connectionId: 'c1', policy: watched, isGraded: false } },
    on: {
      'health.late': { actions: () => told.push('late') },
      'health.recovered': { actions: () => told.push('recovered') },
      'health.dead': { actions: () => told.push('dead') },
    },
  });
  const { children } = createActor(parent, { clock }).start().getSnapshot();
  return {
    clock,
    told,
    tell: (event) => children['health']?.send(event),
    probes: () => 'probe' in (children['health']?.getSnapshot().children ?? {}),
  };
}

describe('the health chart', () => {
  test.each(rows.map((row) => [`${row.given}, on ${row.on.type}, to ${row.next}`, row] as const))(
    'goes from %s',
    (_step, row) => {
      const { given, on, next, effects } = row;
      const { snapshot, effects: found } = stepped([...ways[given], on]);
      expect([leafOf(snapshot), found]).toEqual([next, effects]);
    },
  );

  test.each(ignored.map((row) => [`${row.given}, and does nothing, on ${row.on.type}`, row] as const))(
    'stays %s',
    (_step, { given, on }) => {
      const { snapshot, effects } = stepped([...ways[given], on]);
      expect([leafOf(snapshot), effects]).toEqual([given, []]);
    },
  );

  test.each([
    ['quiet', policy],
    ['unwatched', null],
  ])('starts %s by whether it knows how to probe', (way, watched) => {
    expect(leafOf(stepped([], watched).snapshot)).toBe(way);
  });

  test('does nothing at all where silence proves nothing', () => {
    const { clock, told, tell, probes } = watching(null);
    tell(probe);
    clock.advance(86_400_000);
    expect([clock.pending(), told, probes()]).toEqual([0, [], false]);
  });

  test('watches a link that takes the place of another by the policy of that one', () => {
    const { clock, tell, probes } = watching();
    clock.advance(4_999);
    tell(watch);
    clock.advance(4_999);
    expect(probes()).toBe(false);
    clock.advance(1);
    expect(probes()).toBe(true);
    tell({ type: 'watch', policy: null });
    expect([clock.pending(), probes()]).toEqual([0, false]);
  });

  test('starts without input, as tools that only look at it start it', () => {
    const [{ value, context }] = initialTransition(healthMachine, undefined as never);
    expect(value).toEqual({ heartbeat: 'unwatched', grade: 'ungraded' });
    expect(context).toMatchObject({ connectionId: '', policy: null, isGraded: false });
  });
});

describe('watching a link', () => {
  test('probes when the interval has passed, and not before', () => {
    const { clock, probes } = watching();
    clock.advance(policy.intervalMs - 1);
    expect(probes()).toBe(false);
    clock.advance(1);
    expect(probes()).toBe(true);
  });

  test('counts the interval from the last proof of life, not from the last probe', () => {
    const { clock, tell, probes } = watching();
    clock.advance(policy.intervalMs + 2_000);
    tell(heard);
    clock.advance(policy.intervalMs - 1);
    expect(probes()).toBe(false);
    clock.advance(1);
    expect(probes()).toBe(true);
  });

  test('notices a peer that never answers: late, then dead, each at its time (original fault 24) (pain 3)', () => {
    const { clock, told, probes } = watching();
    clock.advance(policy.intervalMs + policy.lateMs - 1);
    expect(told).toEqual([]);
    clock.advance(1);
    expect(told).toEqual(['late']);
    clock.advance(policy.timeoutMs - policy.lateMs - 1);
    expect(told).toEqual(['late']);
    clock.advance(1);
    expect([told, probes(), clock.pending()]).toEqual([['late', 'dead'], false, 0]);
  });

  test('says recovered only after it said late', () => {
    const { clock, told, tell } = watching();
    clock.advance(policy.intervalMs + 1);
    tell(heard);
    expect(told).toEqual([]);
    clock.advance(policy.intervalMs + policy.lateMs);
    tell(heard);
    expect(told).toEqual(['late', 'recovered']);
  });

  test('does not probe twice at a time, nor start the deadline again, when the link is doubted again', () => {
    const { clock, told, tell } = watching();
    tell(probe);
    clock.advance(policy.lateMs - 1);
    tell(probe);
    clock.advance(1);
    tell(probe);
    expect(told).toEqual(['late']);
    clock.advance(policy.timeoutMs - policy.lateMs);
    expect(told).toEqual(['late', 'dead']);
  });

  test('probes at once after waking, whatever the interval (pain 4)', () => {
    const { clock, tell, probes } = watching();
    clock.sleep(3_600_000);
    tell(probe);
    expect(probes()).toBe(true);
  });

  test('grants the answer its time after a sleep during the probe: an overdue timer alone kills no link', () => {
    const { clock, told, tell } = watching();
    tell(probe);
    clock.sleep(3_600_000);
    clock.advance(0);
    expect(told).toEqual(['late']);
    clock.advance(policy.timeoutMs - policy.lateMs - 1);
    tell(heard);
    expect(told).toEqual(['late', 'recovered']);
  });

  test('gives a link that owes an answer less time, for that once', () => {
    const { clock, told, tell } = watching();
    tell(unanswered);
    clock.advance(250);
    expect(told).toEqual(['late']);
    tell(heard);
    tell(unanswered);
    clock.advance(500);
    expect(told).toEqual(['late', 'recovered', 'late', 'dead']);
    const other = watching();
    other.tell(unanswered);
    other.tell(heard);
    other.tell(probe);
    other.clock.advance(policy.lateMs - 1);
    expect(other.told).toEqual([]);
  });

  test('shortens the time of a probe that is out already', () => {
    const { clock, told, tell } = watching();
    tell(probe);
    clock.advance(100);
    tell(unanswered);
    clock.advance(500);
    expect(told).toEqual(['late', 'dead']);
  });

  test('gives up a link that was late already as soon, once something is owed as well', () => {
    const { clock, told, tell } = watching();
    tell(probe);
    clock.advance(policy.lateMs);
    tell(unanswered);
    clock.advance(250);
    expect(told).toEqual(['late', 'dead']);
  });

  test('waits for an answer that is behind much as long as that takes, and the next time no longer than ever (pain 11)', () => {
    const { clock, told, tell } = watching();
    tell(probe);
    tell(load);
    clock.advance(60_000 + policy.lateMs - 1);
    expect(told).toEqual([]);
    tell(heard);
    tell(probe);
    clock.advance(policy.lateMs);
    expect(told).toEqual(['late']);
  });
});
