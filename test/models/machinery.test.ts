import {
  assign,
  createActor,
  emit,
  setup,
  SimulatedClock as JumpingClock,
  type Actor,
  type SnapshotFrom,
} from 'xstate';
import { describe, expect, test } from 'vitest';

import { SimulatedClock } from '../../src/testing/clock.ts';
import {
  divergences,
  edgeInWords,
  explore,
  stepThrough,
  stranded,
  unreached,
  untaken,
  type MachineGraph,
} from '../support/machine-graph.ts';

type LampEvent = { type: 'press'; hard: boolean } | { type: 'break' | 'mend' };
type LampSnapshot = SnapshotFrom<typeof lamp>;

const parts = setup({
  types: {
    context: {} as { presses: number },
    events: {} as LampEvent,
    emitted: {} as { type: 'shone'; presses: number },
  },
  actions: {
    count: assign({ presses: ({ context }) => context.presses + 1 }),
    click: (_, _params: { isLoud: boolean }) => undefined,
    shine: emit(({ context }) => ({ type: 'shone' as const, presses: context.presses })),
    creak: () => undefined,
    hum: () => undefined,
  },
  guards: {
    isHard: ({ event }) => event.type === 'press' && event.hard,
    never: () => false,
  },
  delays: { glow: 100 },
});

const [click, silence] = [clickOf(true), clickOf(false)];
const usual: Lamp = { begins: ['hum'], pressed: ['count', click, 'shine'], mended: ['creak'] };

/** What a lamp does when it begins, when it is pressed, and when somebody mends it who has nothing to mend. */
interface Lamp {
  begins: readonly 'hum'[];
  pressed: readonly ('count' | 'shine' | ReturnType<typeof clickOf>)[];
  mended: readonly 'creak'[];
}

/** A lamp with one of each fault: a state that nothing leads to, a transition that is never taken, a way of no return. */
const lamp = lampOf(usual);

function clickOf(isLoud: boolean): { type: 'click'; params: { isLoud: boolean } } {
  return { type: 'click', params: { isLoud } };
}

function lampOf({ begins, pressed, mended }: Lamp) {
  return parts.createMachine({
    id: 'lamp',
    context: { presses: 0 },
    entry: begins,
    initial: 'dark',
    states: {
      dark: {
        on: { press: { guard: 'isHard', target: 'lit', actions: pressed }, mend: { guard: 'never', target: 'spare' } },
      },
      lit: { on: { break: 'broken', mend: { actions: mended } }, after: { glow: 'dark' } },
      broken: {},
      spare: {},
    },
  });
}

function graphOf(limit = 100): MachineGraph<LampSnapshot, LampEvent> {
  return explore<LampSnapshot, LampEvent, undefined>(lamp, {
    input: undefined,
    limit,
    decidesBy: ({ context }) => Math.min(context.presses, 1),
    cases: { press: () => [true, false].map((hard) => ({ type: 'press', hard })) },
  });
}

const create = (clock: SimulatedClock): Actor<typeof lamp> => createActor(lamp, { clock });
const timersOf = ({ value }: LampSnapshot): number => (value === 'lit' ? 1 : 0);

describe('exploring a machine', () => {
  test('tries every event, in each of its forms, and every timer', () => {
    const moves = graphOf().edges.filter(({ from, to }) => from !== to);
    expect(moves.map(edgeInWords)).toEqual([
      '"dark" on {"type":"press","hard":true} → "lit"',
      '"lit" on {"type":"break"} → "broken"',
      '"lit" on {"type":"xstate.after.glow.lamp.lit"} → "dark"',
      '"dark" on {"type":"press","hard":true} → "lit"',
    ]);
  });

  test('names the state that nothing leads to', () => {
    expect(unreached(lamp, [graphOf()])).toEqual(['lamp.spare']);
  });

  test('names the transition that is never taken', () => {
    expect(untaken(lamp, [graphOf()])).toEqual(['lamp.dark on mend if "never" → lamp.spare']);
  });

  test('names the state that has no way to the goal', () => {
    expect(stranded(graphOf(), ({ value }) => value === 'dark')).toEqual(['["active","broken",1]']);
  });

  test('knows a shortest path to every state', () => {
    const { states, pathTo } = graphOf();
    const lengths = [...states].map(([key, { value }]) => `${value} after ${pathTo(key).length}`);
    expect(lengths).toEqual(['dark after 0', 'lit after 1', 'broken after 2', 'dark after 2']);
  });

  test('refuses to go on for ever', () => {
    expect(() => graphOf(3)).toThrow('limit');
  });
});

describe('walking a graph with real actors', () => {
  test('finds nothing where the actors do as explored', () => {
    expect(divergences(graphOf(), { create, timersOf })).toEqual([]);
  });

  test('finds a state with other timers than it calls for', () => {
    const found = divergences(graphOf(), { create, timersOf: () => 0 });
    expect(found[0]).toMatch(/has 1 timers instead of 0$/);
  });

  test('finds an actor that comes to another state', () => {
    const strict = lamp.provide({ guards: { isHard: () => false } });
    const found = divergences(graphOf(), { create: (clock) => createActor(strict, { clock }), timersOf });
    expect(found[0]).toContain(
      'comes to ["active","dark",{"presses":0},[]] instead of ["active","lit",{"presses":1},[]]',
    );
  });

  test('finds an event that is not ignored after all', () => {
    const lax = lamp.provide({ guards: { isHard: () => true } });
    const found = divergences(graphOf(), { create: (clock) => createActor(lax, { clock }), timersOf });
    expect(found[0]).toContain('"hard":false');
  });

  test.each([
    ['an effect that is missing', { pressed: ['count', click] }, 'emit'],
    ['an effect that is given something else', { pressed: ['count', silence, 'shine'] }, '"isLoud":false'],
    ['effects in another order', { pressed: ['count', 'shine', click] }, 'does xstate.emit'],
    ['an effect of an event that moves nothing', { mended: [] }, 'does nothing instead of creak'],
    ['an effect before the first event', { begins: [] }, 'at the start: does nothing instead of hum'],
  ] satisfies [string, Partial<Lamp>, string][])('finds %s', (_what, change, words) => {
    const other = lampOf({ ...usual, ...change });
    const found = divergences(graphOf(), { create: (clock) => createActor(other, { clock }), timersOf });
    expect(found.join('\n')).toContain(words);
  });
});

describe('stepping', () => {
  test('names the effects of the last event', () => {
    const start = createActor(lamp).getSnapshot();
    const lit = stepThrough(lamp, start, [{ type: 'press', hard: true }]);
    expect([lit.snapshot.value, lit.effects]).toEqual(['lit', ['click', 'emit shone', 'arm glow']]);
    const broken = stepThrough(lamp, start, [{ type: 'press', hard: true }, { type: 'break' }]);
    expect([broken.snapshot.value, broken.effects]).toEqual(['broken', ['disarm glow']]);
  });
});

describe('the simulated clock', () => {
  test('fires timers in the order in which they fall due, each at its own time', () => {
    const clock = new SimulatedClock(1_000);
    const fired: string[] = [];
    for (const [name, ms] of Object.entries({ late: 30, early: 10, same: 10 })) {
      clock.setTimeout(() => fired.push(`${name} at ${clock.now()}`), ms);
    }
    clock.advance(29);
    expect(fired).toEqual(['early at 1010', 'same at 1010']);
    clock.advance(1);
    expect([fired.at(-1), clock.now(), clock.pending()]).toEqual(['late at 1030', 1_030, 0]);
  });

  test('fires a timer that a timer sets within the same advance, which the clock of XState does not', () => {
    const chain = (clock: Pick<SimulatedClock, 'setTimeout'>, fired: string[]): void => {
      clock.setTimeout(() => {
        fired.push('first');
        clock.setTimeout(() => fired.push('second'), 50);
      }, 100);
    };
    const [ours, theirs]: [string[], string[]] = [[], []];
    const [clock, jumping] = [new SimulatedClock(), new JumpingClock()];
    chain(clock, ours);
    chain(jumping, theirs);
    clock.advance(1_000);
    jumping.increment(1_000);
    expect([ours, theirs]).toEqual([['first', 'second'], ['first']]);
  });

  test('forgets a timer that is cleared, also by another timer due at the same time', () => {
    const clock = new SimulatedClock();
    const fired: string[] = [];
    clock.setTimeout(() => clock.clearTimeout(second), 10);
    const second = clock.setTimeout(() => fired.push('second'), 10);
    clock.clearTimeout(undefined);
    clock.advance(10);
    expect([fired, clock.pending()]).toEqual([[], 0]);
  });

  test('drains microtasks between deadlines', async () => {
    const clock = new SimulatedClock(0);
    const fired: number[] = [];
    const later = async (): Promise<void> => {
      await Promise.resolve();
      await Promise.resolve();
      fired.push(clock.now());
      if (fired.length < 3) clock.setTimeout(() => void later(), 10);
    };
    void later();
    await clock.advanceAsync(100);
    expect([fired, clock.now()]).toEqual([[0, 10, 20], 100]);
  });

  test('sleeps without firing, and fires late what fell due meanwhile', () => {
    const clock = new SimulatedClock(0);
    const fired: number[] = [];
    clock.setTimeout(() => fired.push(clock.now()), 10);
    clock.sleep(1_000);
    expect([fired, clock.now(), clock.untilNextMs()]).toEqual([[], 1_000, 0]);
    clock.advance(0);
    expect([fired, clock.untilNextMs()]).toEqual([[1_000], null]);
  });

  test.each([-1, Number.NaN, Infinity, 2 ** 31])('refuses a delay of %s ms, which a platform turns into 1 ms', (ms) => {
    const clock = new SimulatedClock();
    expect(() => clock.setTimeout(() => undefined, ms)).toThrow(RangeError);
  });

  test('refuses timers that set each other for ever', () => {
    const clock = new SimulatedClock();
    const again = (): void => void clock.setTimeout(again, 0);
    again();
    expect(() => clock.advance(1)).toThrow('for ever');
  });
});
