import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode } from 'xstate';

import type { TakenTransition } from './record.ts';

/** What was done in one turn of a machine, as XState tells it: the same of an actor that lives and of one that is replayed. */
export interface Deeds {
  transitions: TakenTransition[];
  effects: string[];
  delays: { event: string; ms: number }[];
}

/** An effect as XState's actor scope and its inspection know it. */
export interface RawEffect {
  type: string;
  params?: unknown;
}

interface SendParams {
  to?: unknown;
  targetId?: string;
  event: { type: string };
}

// the definition of a transition, as far as it is needed; XState has no exported name for what inspection carries
export interface RawTransition {
  source: AnyStateNode;
  target?: readonly AnyStateNode[] | undefined;
  actions: readonly unknown[];
  guard?: unknown;
  eventType: string;
}

export function noDeeds(): Deeds {
  return { transitions: [], effects: [], delays: [] };
}

/** Adds an effect to the deeds of an actor. Timers that are cleared are not written down: leaving their state does that. */
export function noteEffect(deeds: Deeds, { type, params }: RawEffect, self: object): void {
  switch (type) {
    case 'xstate.cancel':
      return;
    case 'xstate.raise': {
      const { event, delay } = params as { event: { type: string }; delay?: number };
      if (delay === undefined) deeds.effects.push(`raise ${event.type}`);
      else deeds.delays.push({ event: event.type, ms: delay });
      return;
    }
    case 'xstate.sendTo': {
      const { to, targetId, event } = params as SendParams;
      deeds.effects.push(`send ${event.type} to ${targetId ?? nameOf(to, self)}`);
      return;
    }
    case 'xstate.emit':
      deeds.effects.push(`emit ${(params as { event: { type: string } }).event.type}`);
      return;
    case 'xstate.spawnChild':
      deeds.effects.push(`start ${(params as { id: string }).id}`);
      return;
    case 'xstate.stopChild': {
      const child = params as { id: string } | undefined;
      if (child) deeds.effects.push(`stop ${child.id}`);
      return;
    }
    default:
      deeds.effects.push(type);
  }
}

// whoever is not one of its children can only be its parent; one that is replayed has none, and sends to itself instead
function nameOf(target: unknown, self: object): string {
  const { _parent: parent, id } = target as { _parent?: object; id: string };
  return parent === self ? id : 'parent';
}

const described = new WeakMap<object, TakenTransition>();

/** A transition that was taken, as it is written down. */
export function takenOf(transition: RawTransition): TakenTransition {
  const known = described.get(transition);
  if (known) return known;
  const { source, target, actions, eventType } = transition;
  const names = actions.map(nameOfAction);
  const guards = guardsUpTo(transition);
  const taken: TakenTransition = {
    source: source.id,
    on: eventType,
    ...(target && target.length > 0 && { to: target.map(({ id }) => id) }),
    ...(guards.length > 0 && { guards }),
    ...(names.length > 0 && { actions: names }),
  };
  described.set(transition, taken);
  return taken;
}

/** Guards that said no to an event that no transition was taken for: all that were asked. */
export function refusedBy(snapshot: AnyMachineSnapshot, { type }: { type: string }): string[] {
  const nodes = snapshot._nodes as unknown as AnyStateNode[];
  return nodes.flatMap((node) =>
    guardsOf(node).flatMap(({ descriptor, guards }) => (answersTo(descriptor, type) ? guards : [])),
  );
}

const asked = new WeakMap<AnyStateNode, { descriptor: string; guards: string[] }[]>();

function guardsOf(node: AnyStateNode): { descriptor: string; guards: string[] }[] {
  const known = asked.get(node);
  if (known) return known;
  const found = [...(node.transitions as Map<string, RawTransition[]>)].flatMap(([descriptor, candidates]) => {
    const guards = candidates.flatMap(({ guard }) => (guard === undefined ? [] : [nameOfGuard(guard)]));
    return guards.length > 0 ? [{ descriptor, guards }] : [];
  });
  asked.set(node, found);
  return found;
}

/** The chart as data: what its tools take, and what its hash is made of. */
export function definitionOf(machine: AnyStateMachine): unknown {
  return JSON.parse(JSON.stringify(machine.config));
}

// XState asks the guards of one place in order, and takes the first that holds: those before it have said no
function guardsUpTo(transition: RawTransition): NonNullable<TakenTransition['guards']> {
  const { source, eventType } = transition;
  const candidates =
    eventType === '' ? source.always : (source.transitions as Map<string, RawTransition[]>).get(eventType);
  const place = candidates?.indexOf(transition as never) ?? -1;
  const before = (candidates?.slice(0, Math.max(0, place)) ?? []) as RawTransition[];
  return [
    ...before.map(({ guard }) => ({ guard: nameOfGuard(guard), holds: false })),
    ...(transition.guard === undefined ? [] : [{ guard: nameOfGuard(transition.guard), holds: true }]),
  ];
}

function answersTo(descriptor: string, type: string): boolean {
  return descriptor === type || (descriptor.endsWith('.*') && type.startsWith(descriptor.slice(0, -1)));
}

function nameOfGuard(guard: unknown): string {
  return typeof guard === 'string' ? guard : ((guard as { type?: string } | undefined)?.type ?? 'guard');
}

function nameOfAction(action: unknown): string {
  return typeof action === 'string' ? action : ((action as { type?: string }).type ?? 'action');
}
