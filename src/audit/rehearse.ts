import type { AnyMachineSnapshot } from 'xstate';

import { check, isListOf, isObject, isText, must, object, oneOf, required } from '../core/rules.ts';
import { MACHINES } from './definitions.ts';
import type { Happened, Json, TakenTransition } from './record.ts';
import { Rehearsal, type Rehearsed } from './rehearsal.ts';

/** An event as it is on record. */
export type RecordedEvent = Happened['event'];

/** How an actor begins: with its input, or in a state that it was seen in, with its context and the ids of its children. */
export type RehearsalStart =
  { readonly input: Json } | { readonly to: Json; readonly context: Json; readonly children: readonly string[] };

export interface RehearseOptions {
  /** The id of the machine. */
  machine: 'supervisor' | 'group' | 'connection' | 'outbox' | 'health';
  start: RehearsalStart;
  /** What it takes, in order. */
  events: readonly RecordedEvent[];
}

/** What a machine has done in one turn. */
export interface RehearsedTurn {
  /** The state after. */
  to: Json;
  /** As records tell them. */
  transitions: TakenTransition[];
  effects: string[];
  delays: { event: string; ms: number }[];
}

const rule = object({
  machine: required(oneOf([...MACHINES.keys()])),
  start: required(
    must(
      'an object with input, or with to, context and children',
      (start) =>
        isObject(start) &&
        ('input' in start || ('to' in start && isObject(start['context']) && isListOf(start['children'], isText))),
    ),
  ),
  events: required(
    must('a list of events', (events) => isListOf(events, (event) => isObject(event) && isText(event['type']))),
  ),
});

/**
 * Steps a machine through events, and says what it has done: first how it begins, then one turn for each event. It only decides: no effect is done, no timer runs, and that a delay has passed is an event as
 * any other.
 *
 * @throws {ConfigurationError} `INVALID_OPTIONS`.
 * @throws {Error} What the machine throws of a state that it does not have, or of an event that it cannot take.
 */
export function rehearse(options: RehearseOptions): RehearsedTurn[] {
  check(rule, options);
  const { machine: id, start, events } = options;
  const machine = MACHINES.get(id);
  if (!machine) return [];
  const rehearsal = new Rehearsal(machine);
  const begun: Rehearsed =
    'input' in start
      ? rehearsal.begin(start.input)
      : { snapshot: rehearsal.pose(start), transitions: [], effects: [], delays: [] };
  const turns = [turnOf(begun)];
  let snapshot: AnyMachineSnapshot = begun.snapshot;
  for (const event of events) {
    const done = rehearsal.step(snapshot, event);
    turns.push(turnOf(done));
    snapshot = done.snapshot;
  }
  return turns;
}

function turnOf({ snapshot, transitions, effects, delays }: Rehearsed): RehearsedTurn {
  return { to: snapshot.value as Json, transitions, effects, delays };
}
