import {
  check,
  invalid,
  callback,
  count,
  isListOf,
  isObject,
  isWhole,
  must,
  object,
  required,
  type Rule,
} from '../core/rules.ts';
import type { Connection, EnhancedWebSocketService, ServiceOptions } from '../index.ts';
import { FAULTS, type FaultKind } from './faults.ts';
import { halfOf, planOf, type Plan } from './plan.ts';
import { perform } from './run.ts';
import { shrink } from './shrink.ts';
import type { Stage } from './stage.ts';
import type { Trait } from './stage.ts';

/** One run of a simulation, and how it is told. */
export interface SimulateOptions {
  /** A whole number from 0 on: the run is a function of it, and of the other options. */
  seed: number;
  /** What may go wrong; an empty list for nothing. @default a half of {@link FAULTS} that the seed draws */
  faults?: readonly FaultKind[];
  /** How long it goes on, in virtual ms, and then until everything is at rest, about 35 s more; the last third is calm. From 3_000 to a day. @default 120_000 */
  durationMs?: number;
  /** How the client's connections behave, in place of what the seed draws. */
  service?: Partial<Omit<ServiceOptions, SimulationsOwn>>;
  /** Which steps of the plan are taken, by their numbers, as a shrunk run gives them. @default all */
  steps?: readonly number[];
  /** How many runs may be spent on making a broken one shorter; 0 for none. @default 200 */
  shrinkRuns?: number;
  /**
   * Joins in: gets the service, whose connections have just been asked for, and a function that says that a rule is broken. It is called for each run, those that make a broken one shorter
   * included, so what it remembers belongs inside. What it throws breaks the run, as what a listener of it throws does; so does what it returns if that rejects. No real time passes.
   */
  join?: (player: Player) => unknown;
}

/** What a simulation has of its own. */
type SimulationsOwn = 'pool' | 'credentials' | 'profile';

/** What somebody who joins in is given. */
export interface Player {
  /** Has one service type, `simulated`. */
  service: EnhancedWebSocketService;
  /** Those that the simulation uses, `simulated:t1` and so on. */
  connections: readonly Connection<unknown>[];
  /** Breaks the run: says which rule did not hold. */
  fail: (what: string) => void;
  /** Adds a line to the history. */
  note: (what: string) => void;
}

/** What came of a run. */
export interface Simulation {
  verdict: 'kept' | 'broken';
  /** The first rule that did not hold; `null` for none. */
  breach: string | null;
  /** What was thrown, where that is what broke the run; `undefined` otherwise. */
  cause: unknown;
  seed: number;
  /** What might go wrong. */
  faults: readonly FaultKind[];
  /** The numbers of the steps that were taken, in order: faults, and what is sent. */
  steps: readonly number[];
  /** What happened, in lines with the time in ms before each; down to the breach if there was one. */
  history: string;
  /** The lines of the audit log of the client, without their ends, as `holdfast audit verify` reads them; a breach cuts it short, so that it is `open`. */
  audit: readonly string[];
  /** How long it was for those in it, in ms, until everything was at rest and had come to its end. */
  virtualMs: number;
  /** How many messages the simulation sent, both ways; those of who joins in are not counted. */
  messages: number;
  /** The same breach with less before it, without any step if none is needed; `null` where there was none, or nothing could be left out. */
  shrunk: Omit<Simulation, 'shrunk' | 'again'> | null;
  /** What does it again beside the same `service` and `join`, the shorter run if there is one: `simulate({ ...again, service, join })`. `null` where no rule was broken. */
  again: Pick<SimulateOptions, 'seed' | 'faults' | 'durationMs' | 'steps'> | null;
}

const DURATION_MS = 120_000;
const LEAST_MS = 3_000;
const MOST_MS = 86_400_000;
const SHRINK_RUNS = 200;

/**
 * Runs a real client against real servers over a network, a store and a device that fail, in a time of their own, and holds what happens to every promise of the library: each accepted
 * message has one fate; on `holdfast.v1` nothing is lost, doubled or out of order; what is in doubt was lost with something; no loop is hot; no dead link is taken for a living one; once
 * nothing goes wrong any more every connection opens; nothing is left over at the end; and the audit log of the run is whole, replays with every transition the same, and holds no secret.
 *
 * The same options give the same run, to the last line of its history. One that breaks a rule is made shorter: see {@link Simulation.shrunk} and {@link Simulation.again}.
 *
 * @throws {ConfigurationError} Rejects with `INVALID_OPTIONS`.
 */
export async function simulate(options: SimulateOptions): Promise<Simulation> {
  check(rule, options);
  const { seed, faults = halfOf(FAULTS, seed), durationMs = DURATION_MS, shrinkRuns = SHRINK_RUNS, steps } = options;
  const whole = planOf({ seed, faults, durationMs });
  const strange = steps?.find((number) => number > whole.steps.length);
  if (strange !== undefined) throw invalid([`steps: the plan has no step ${strange}`]);
  const plan = steps ? { ...whole, steps: whole.steps.filter(({ number }) => steps.includes(number)) } : whole;
  const simulation = await played(plan, options);
  if (simulation.breach === null) return { ...simulation, shrunk: null, again: null };
  const shorter = shrinkRuns > 0 ? await shorterOf(plan, options, simulation) : null;
  const { faults: left, steps: needed } = shorter ?? simulation;
  return { ...simulation, shrunk: shorter, again: { seed, faults: left, durationMs, steps: needed } };
}

type Played = Omit<Simulation, 'shrunk' | 'again'>;

async function played(plan: Plan, { seed, service, join }: SimulateOptions): Promise<Played> {
  const begins = join && ((stage: Stage): void => joined(stage, join));
  const stage = await perform(plan, { ...(begins && { begins }), service });
  const { history, audit, book } = stage;
  return {
    verdict: stage.isBroken ? 'broken' : 'kept',
    breach: history.breach ?? null,
    cause: history.cause,
    seed,
    faults: plan.faults,
    steps: plan.steps.filter(({ at }) => at <= (plan.abruptAt ?? Infinity)).map(({ number }) => number),
    history: history.tail(Infinity),
    audit,
    virtualMs: history.at,
    messages: book.size,
  };
}

function joined(stage: Stage, join: NonNullable<SimulateOptions['join']>): void {
  const { history } = stage;
  try {
    Promise.resolve(join(playerOf(stage))).catch((error: unknown) => {
      history.threw('join rejected:', error);
    });
  } catch (error) {
    history.threw('join threw:', error);
  }
}

function playerOf({ service, apps, history }: Stage): Player {
  return {
    service,
    connections: apps.map(({ connection }) => connection),
    fail: (what) => {
      history.fail(what);
    },
    note: (what) => {
      history.note(what);
    },
  };
}

// any breach will do: a shorter way to another one is as good
async function shorterOf(plan: Plan, options: SimulateOptions, broken: Played): Promise<Played | null> {
  let shortest: Played = broken;
  const tried = async (candidate: Plan): Promise<boolean> => {
    const again = await played(candidate, options);
    if (again.breach !== null) shortest = again;
    return again.breach !== null;
  };
  const most = options.shrinkRuns ?? SHRINK_RUNS;
  const traits = await shrink([...plan.traits], (left) => tried(without(plan, left)), Math.ceil(most / 4));
  const calmer = without(plan, traits);
  await shrink(calmer.steps, (steps) => tried({ ...calmer, steps }), most);
  if (shortest === broken) return null;
  // a rule of somebody who remembers other runs may break by itself
  const again = await played(
    { ...calmer, steps: calmer.steps.filter(({ number }) => shortest.steps.includes(number)) },
    options,
  );
  return again.history === shortest.history ? shortest : null;
}

// traits that are left out stay among the faults of the plan's drawing: the steps keep their numbers
function without(plan: Plan, traits: readonly Trait[]): Plan {
  const left = new Set(traits);
  const isLeft = (kind: FaultKind): boolean => !plan.traits.has(kind as Trait) || left.has(kind as Trait);
  return { ...plan, traits: left, faults: plan.faults.filter(isLeft) };
}

const serviceRule: Rule = (value, path) => {
  if (value === undefined) return [];
  if (!isObject(value)) return [`${path}: must be an object`];
  const own: Record<SimulationsOwn, string> = {
    pool: 'the servers of a simulation take no channels',
    credentials: 'a simulation has credentials of its own',
    profile: 'a simulation speaks in a way of its own',
  };
  // the rest is held to the rules of a service
  return Object.entries(own).flatMap(([key, why]) => (key in value ? [`${path}.${key}: ${why}`] : []));
};
const rule = object({
  seed: required(must('a whole number from 0 on', (value) => isWhole(value, 0))),
  faults: must(`a list of names of FAULTS`, (value) => isListOf(value, (kind) => FAULTS.includes(kind as FaultKind))),
  durationMs: must(`a number of milliseconds from ${LEAST_MS} to ${MOST_MS}`, isDuration),
  service: serviceRule,
  steps: must('a list of numbers of steps', (value) => isListOf(value, (number) => isWhole(number, 1))),
  shrinkRuns: count,
  join: callback,
});

function isDuration(value: unknown): boolean {
  return Number.isFinite(value) && (value as number) >= LEAST_MS && (value as number) <= MOST_MS;
}
