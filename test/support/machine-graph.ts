import {
  getNextTransitions,
  transition,
  type AnyActorRef,
  type AnyActorScope,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  type AnyTransitionDefinition,
  type EventFromLogic,
  type EventObject,
  type SnapshotFrom,
} from 'xstate';
import { adjacencyMapToArray, getAdjacencyMap, getStateNodes } from 'xstate/graph';

import { SimulatedClock } from '../../src/testing/clock.ts';
import { effectInFull } from './machine-effects.ts';

/** What exploring needs of a machine: the production one, with the placeholders of its own setup. */
export interface Explorable<S, E, I> {
  root: AnyStateNode;
  events: readonly string[];
  transition(snapshot: S, event: E, scope: AnyActorScope): S;
  getInitialSnapshot(scope: AnyActorScope, input?: I): S;
}

/** What XState says of the effects that it knows itself. */
interface EffectParams {
  id?: string;
  event?: EventObject;
  targetId?: string;
  sendId?: string;
}

/** How a machine is explored. */
export interface Exploration<S, E, I> {
  input: I;
  /** The part of the context that tells states apart: all the chart decides by, less what grows without bound. */
  decidesBy: (snapshot: S) => unknown;
  /** Which events stand for an event descriptor, in a given state. Without a case it is the bare type. */
  cases: Readonly<Record<string, (snapshot: S) => readonly E[]>>;
  /** Whether an event can happen in a state at all; a timer that has fired does not fire again. Default: all can. */
  canHappen?: (snapshot: S, event: E) => boolean;
  /** Most edges to walk before the exploration is called endless. */
  limit: number;
}

/** One step of a machine: in one state, one event, taken or ignored. */
export interface Edge<S, E> {
  from: S;
  event: E;
  to: S;
  fromKey: string;
  toKey: string;
  /** What there is to do on the way, in its order, each with all that it is given. */
  effects: readonly string[];
}

/** Everything a machine can do, as far as its exploration tells states apart. */
export interface MachineGraph<S, E> {
  /** One snapshot for each state, nearest to the start first. */
  states: ReadonlyMap<string, S>;
  edges: readonly Edge<S, E>[];
  /** What there is to do before the first event. */
  beginning: readonly string[];
  /** The transition definitions that were taken on the way. */
  taken: ReadonlySet<AnyTransitionDefinition>;
  /** The events of a shortest path to a state. */
  pathTo: (key: string) => readonly E[];
}

/** A running actor, as far as replaying a graph needs one. */
export interface Runnable<S, E> {
  start(): unknown;
  stop(): unknown;
  send(event: E): void;
  getSnapshot(): S;
  readonly system: Pick<AnyActorRef['system'], 'inspect'>;
}

/** How real actors walk a graph. */
export interface Replay<S, E> {
  create: (clock: SimulatedClock) => Runnable<S, E>;
  /** How many timers a state calls for. */
  timersOf: (snapshot: S) => number;
}

/** What one event leads to. */
export interface Step<S> {
  snapshot: S;
  /** What there is to do, by name: `start socket`, `stop socket`, `tell socket dial`, `emit closed`, `arm retryDelay`. */
  effects: string[];
}

/** Explores a machine breadth first: in every state, each event that any state of it knows, and the timers of that state. */
export function explore<S extends AnyMachineSnapshot, E extends EventObject, I>(
  machine: Explorable<S, E, I>,
  { input, decidesBy, cases, canHappen, limit }: Exploration<S, E, I>,
): MachineGraph<S, E> {
  const records: Records<S> = { taken: new Set(), beginning: [], effects: new Map() };
  const keyOf = (snapshot: S): string => JSON.stringify([snapshot.status, snapshot.value, decidesBy(snapshot)]);
  const adjacency = getAdjacencyMap(recording(machine, records), {
    input,
    limit,
    serializeState: keyOf,
    serializeEvent: (event) => JSON.stringify(event),
    events: (snapshot) =>
      descriptorsOf(machine, snapshot).flatMap((type) => cases[type]?.(snapshot) ?? [{ type } as E]),
    filterEvents: (snapshot, event) => snapshot.status === 'active' && (canHappen?.(snapshot, event) ?? true),
  });
  const edges = adjacencyMapToArray(adjacency).map(({ state: from, event, nextState: to }) => {
    const effects = records.effects.get(from)?.get(event) ?? [];
    return { from, event, to, fromKey: keyOf(from), toKey: keyOf(to), effects };
  });
  // the edges come breadth first, so each state stands here as it was first met
  const states = new Map<string, S>();
  for (const { from, fromKey, to, toKey } of edges) {
    if (!states.has(fromKey)) states.set(fromKey, from);
    if (!states.has(toKey)) states.set(toKey, to);
  }
  const { taken, beginning } = records;
  return { states, edges, beginning, taken, pathTo: shortestPaths(edges) };
}

/** The transitions that no exploration took, in words. */
export function untaken<S, E>(machine: { root: AnyStateNode }, graphs: readonly MachineGraph<S, E>[]): string[] {
  return definedTransitions(machine)
    .filter((definition) => !graphs.some(({ taken }) => taken.has(definition)))
    .map(inWords);
}

/** Ids of the state nodes that were neither rested in nor passed through. */
export function unreached<S extends AnyMachineSnapshot, E>(
  machine: { root: AnyStateNode },
  graphs: readonly MachineGraph<S, E>[],
): string[] {
  const reached = new Set<AnyStateNode>();
  for (const { states, taken } of graphs) {
    for (const { _nodes } of states.values()) for (const node of _nodes as AnyStateNode[]) reached.add(node);
    for (const { source } of taken) reached.add(source);
  }
  return allNodes(machine.root)
    .filter((node) => !reached.has(node))
    .map(({ id }) => id);
}

/** How much of a machine explorations have seen: of its chart, and how many states and edges that made. */
export interface Coverage {
  states: { reached: number; defined: number };
  transitions: { taken: number; defined: number };
  situations: number;
  edges: number;
}

export function coverageOf<S extends AnyMachineSnapshot, E>(
  machine: { root: AnyStateNode },
  graphs: readonly MachineGraph<S, E>[],
): Coverage {
  const [states, transitions] = [allNodes(machine.root).length, definedTransitions(machine).length];
  const sum = (count: (graph: MachineGraph<S, E>) => number): number =>
    graphs.reduce((total, graph) => total + count(graph), 0);
  return {
    states: { reached: states - unreached(machine, graphs).length, defined: states },
    transitions: { taken: transitions - untaken(machine, graphs).length, defined: transitions },
    situations: sum((graph) => graph.states.size),
    edges: sum((graph) => graph.edges.length),
  };
}

/** Keys of the states from which no way leads to the goal. */
export function stranded<S, E>({ states, edges }: MachineGraph<S, E>, goal: (snapshot: S) => boolean): string[] {
  const sources = new Map<string, string[]>();
  for (const { fromKey, toKey } of edges) sources.set(toKey, [...(sources.get(toKey) ?? []), fromKey]);
  const saved = new Set([...states].filter(([, snapshot]) => goal(snapshot)).map(([key]) => key));
  for (const key of saved) for (const source of sources.get(key) ?? []) saved.add(source);
  return [...states.keys()].filter((key) => !saved.has(key));
}

/**
 * Walks every edge on a real actor: the shortest path to its state, then its event. Tells, in words, where the actor comes
 * to another state than the exploration, with other actors, by other effects, or with other timers than the state calls
 * for. Timers are fired by their clock. The events that a state ignores are sent to one actor, for none of them may move it.
 */
export function divergences<S extends AnyMachineSnapshot, E extends EventObject>(
  { edges, beginning, pathTo }: MachineGraph<S, E>,
  { create, timersOf }: Replay<S, E>,
): string[] {
  // all of them begin alike
  const first = create(new SimulatedClock());
  const begun = differenceOf(
    effectsOf(first, () => first.start()),
    beginning,
  );
  first.stop();
  const found = begun === '' ? [] : [`at the start: ${begun}`];
  for (const walk of inWalks(edges)) {
    const clock = new SimulatedClock();
    const actor = create(clock);
    actor.start();
    for (const event of pathTo(walk[0].fromKey)) perform(event, actor, clock);
    const done = effectsOf(actor, () => {
      for (const { event } of walk) perform(event, actor, clock);
    });
    const snapshot = actor.getSnapshot();
    const expected = walk[0].to;
    const pending = clock.pending();
    actor.stop();
    const due = walk.flatMap(({ effects }) => effects);
    const differences = [
      differenceOf(done, due),
      inFull(snapshot) === inFull(expected) ? '' : `comes to ${inFull(snapshot)} instead of ${inFull(expected)}`,
      pending === timersOf(snapshot) ? '' : `has ${pending} timers instead of ${timersOf(snapshot)}`,
      clock.pending() === 0 ? '' : `keeps ${clock.pending()} timers when it is stopped`,
    ].filter((difference) => difference !== '');
    if (differences.length > 0) found.push(`${walk.map(edgeInWords).join('; ')}: ${differences.join('; ')}`);
  }
  return found;
}

/** Events, stepped through one after the other without running anything; the effects are those of the last. */
export function stepThrough<M extends AnyStateMachine>(
  machine: M,
  start: SnapshotFrom<M>,
  events: readonly EventFromLogic<M>[],
): Step<SnapshotFrom<M>> {
  let reached: Step<SnapshotFrom<M>> = { snapshot: start, effects: [] };
  for (const event of events) {
    const [snapshot, actions] = transition(machine, reached.snapshot, event);
    reached = { snapshot, effects: actions.map(effectInWords) };
  }
  return reached;
}

/** The innermost state, for machines without parallel states in which it has a name of its own. */
export function leafOf({ value }: { value: unknown }): string {
  return typeof value === 'string' ? value : leafOf({ value: Object.values(value as object)[0] });
}

/** An edge in words, for the message of a failed expectation. */
export function edgeInWords<S extends AnyMachineSnapshot, E>({ from, event, to }: Edge<S, E>): string {
  return `${JSON.stringify(from.value)} on ${JSON.stringify(event)} → ${JSON.stringify(to.value)}`;
}

function inWalks<S, E>(edges: readonly Edge<S, E>[]): [Edge<S, E>, ...Edge<S, E>[]][] {
  const walks: [Edge<S, E>, ...Edge<S, E>[]][] = [];
  const ignored = new Map<string, Edge<S, E>[]>();
  for (const edge of edges) {
    const shared = edge.from === edge.to ? ignored.get(edge.fromKey) : undefined;
    if (shared) {
      shared.push(edge);
      continue;
    }
    const walk: [Edge<S, E>, ...Edge<S, E>[]] = [edge];
    if (edge.from === edge.to) ignored.set(edge.fromKey, walk);
    walks.push(walk);
  }
  return walks;
}

function inFull({ status, value, context, children }: AnyMachineSnapshot): string {
  return JSON.stringify([status, value, context, Object.keys(children as object)]);
}

function effectInWords({ type, params }: { type: string; params: unknown }): string {
  const { id, event, targetId, sendId } = (params ?? {}) as EffectParams;
  switch (type) {
    case 'xstate.spawnChild':
      return `start ${id}`;
    case 'xstate.stopChild':
      return `stop ${id}`;
    case 'xstate.sendTo':
      return `tell ${targetId ?? 'parent'} ${event?.type}`;
    case 'xstate.emit':
      return `emit ${event?.type}`;
    case 'xstate.raise':
      return id === undefined ? `raise ${event?.type}` : `arm ${delayOf(id)}`;
    case 'xstate.cancel':
      return `disarm ${delayOf(sendId)}`;
    default:
      return type;
  }
}

// of `xstate.after.<delay>.<state>`
function delayOf(timer: string | undefined): string | undefined {
  return timer?.split('.')[2];
}

function perform<S, E extends EventObject>(event: E, actor: Runnable<S, E>, clock: SimulatedClock): void {
  if (event.type.startsWith('xstate.after.')) clock.advance(clock.untilNextMs() ?? 0);
  else actor.send(event);
}

function differenceOf(done: readonly string[], due: readonly string[]): string {
  const [actual, expected] = [done, due].map((effects) => effects.join(', ') || 'nothing');
  return actual === expected ? '' : `does ${actual} instead of ${expected}`;
}

/** What an actor is seen to carry out meanwhile. What its children do is theirs. */
function effectsOf<S, E>({ system }: Runnable<S, E>, act: () => unknown): string[] {
  const effects: string[] = [];
  const watch = system.inspect((told) => {
    if (told.type === '@xstate.action' && told.actorRef.sessionId === told.rootId)
      effects.push(effectInFull(told.action));
  });
  act();
  watch.unsubscribe();
  return effects;
}

/** What is written down while a machine is explored. */
interface Records<S> {
  taken: Set<AnyTransitionDefinition>;
  beginning: readonly string[];
  effects: Map<S, Map<EventObject, readonly string[]>>;
}

function recording<S extends AnyMachineSnapshot, E extends EventObject, I>(
  machine: Explorable<S, E, I>,
  records: Records<S>,
): Parameters<typeof getAdjacencyMap<S, E, I>>[0] {
  const watched = new WeakSet();
  const watch = ({ system }: AnyActorScope): void => {
    if (watched.has(system)) return;
    watched.add(system);
    system.inspect((event) => {
      if (event.type === '@xstate.microstep')
        for (const definition of event._transitions) records.taken.add(definition);
    });
  };
  return {
    getInitialSnapshot: (scope, input) => {
      watch(scope);
      const [listening, effects] = listeningTo(scope);
      records.beginning = effects;
      return machine.getInitialSnapshot(listening, input);
    },
    transition: (snapshot, event, scope) => {
      watch(scope);
      const [listening, effects] = listeningTo(scope);
      const next = machine.transition(snapshot, event, listening);
      if (effects.length > 0) {
        const known = records.effects.get(snapshot) ?? new Map<EventObject, readonly string[]>();
        records.effects.set(snapshot, known.set(event, effects));
      }
      return next;
    },
    getPersistedSnapshot: (snapshot) => snapshot,
  };
}

// the effects are written down as they come, for what they were given may change afterwards
function listeningTo(scope: AnyActorScope): [AnyActorScope, string[]] {
  const effects: string[] = [];
  return [{ ...scope, actionExecutor: (effect) => effects.push(effectInFull(effect)) }, effects];
}

// breadth first as the edges are, so the first edge into a state ends a shortest path to it
function shortestPaths<S, E>(edges: readonly Edge<S, E>[]): (key: string) => readonly E[] {
  const last = new Map<string, Edge<S, E>>();
  const start = edges[0]?.fromKey;
  for (const edge of edges) if (edge.toKey !== start && !last.has(edge.toKey)) last.set(edge.toKey, edge);
  return function pathTo(key): readonly E[] {
    const edge = last.get(key);
    return edge ? [...pathTo(edge.fromKey), edge.event] : [];
  };
}

function descriptorsOf({ events }: { events: readonly string[] }, snapshot: AnyMachineSnapshot): string[] {
  const own: readonly { eventType: string }[] = getNextTransitions(snapshot);
  const external = events.filter((type) => !type.startsWith('xstate.'));
  return [...new Set([...own.map(({ eventType }) => eventType), ...external])].filter((type) => type !== '');
}

/** Every transition of a chart: on events, on timers, and those taken by themselves. */
export function definedTransitions({ root }: { root: AnyStateNode }): AnyTransitionDefinition[] {
  return allNodes(root).flatMap((node) => [...[...node.transitions.values()].flat(), ...(node.always ?? [])]);
}

/** The root of a chart, and every state in it. */
export function allNodes(root: AnyStateNode): AnyStateNode[] {
  return [root, ...getStateNodes(root)];
}

function inWords({ source, eventType, guard, target }: AnyTransitionDefinition): string {
  const condition = guard === undefined ? '' : ` if ${JSON.stringify(guard)}`;
  return `${source.id} on ${eventType || 'always'}${condition} → ${(target ?? []).map(({ id }) => id).join(', ') || 'stays'}`;
}
