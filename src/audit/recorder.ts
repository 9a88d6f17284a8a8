import type { AnyMachineSnapshot } from 'xstate';

import { canonicalJson } from './canonical.ts';
import { changesBetween } from './changes.ts';
import { machineName, type Hashes } from './definitions.ts';
import type { Turn } from './observation.ts';
import { AUDIT_VERSION, type Json } from './record.ts';
import type { Redacted, Redaction } from './redaction.ts';
import { refusedBy } from './turns.ts';

/** A record that is ready to be chained. */
export interface Item {
  /** As canonical JSON. */
  body: string;
  at: number;
  /** Whose turn it tells of; `undefined` for what is of no actor. */
  actor?: object;
  /** The record of how the actor was before, for logs that do not know; `null` where it begins with this. */
  base?: (() => string) | null;
  /** Stands for records that there was no room for; then there is no body yet. */
  missed?: { lost: number; since: number };
}

/** When something happened. */
export interface Moment {
  at: number;
  mono: number;
}

/** Writes what actors do as records. */
export class Recorder {
  readonly #redaction: Redaction;
  readonly #hashes: Hashes;

  constructor(redaction: Redaction, hashes: Hashes) {
    this.#redaction = redaction;
    this.#hashes = hashes;
  }

  /** The record of a turn. */
  item(turn: Turn, moment: Moment): Item {
    const { actor, before } = turn;
    const item = { at: moment.at, actor };
    switch (turn.kind) {
      case 'started':
        return { ...item, base: null, body: this.#happened(turn, moment) };
      case 'step':
        return { ...item, base: () => this.#state(turn, moment), body: this.#happened(turn, moment) };
      case 'stopped':
        return { ...item, body: this.#stopped(turn, moment) };
      case 'died': {
        const { error } = turn.event as { error?: unknown };
        const { value, paths } = this.#redaction.of(error, 'error');
        const from = before?.value as Json;
        return {
          ...item,
          body: canonicalJson({ ...this.#actor(turn, moment), kind: 'died', from, error: value, ...listed(paths) }),
        };
      }
    }
  }

  #happened(turn: Turn, moment: Moment): string {
    const { kind, before, after, source, transitions, effects, delays } = turn;
    const event = this.#redaction.of(turn.event, 'event');
    // how it begins follows from its input
    const context = before && this.#changes(before, after);
    const refused = kind === 'step' && transitions.length === 0 ? refusedBy(after, turn.event) : [];
    return canonicalJson({
      ...this.#actor(turn, moment),
      kind,
      source,
      event: event.value,
      ...(kind === 'step' && { from: before?.value as Json }),
      to: after.value as Json,
      ...(transitions.length > 0 && { transitions }),
      ...(refused.length > 0 && { refused }),
      ...(effects.length > 0 && { effects }),
      ...(delays.length > 0 && { delays }),
      ...(context && { context: context.value }),
      ...listed([...event.paths, ...(context?.paths ?? [])]),
    });
  }

  #state(turn: Turn, moment: Moment): string {
    const before = turn.before as AnyMachineSnapshot;
    const { value, paths } = this.#redaction.of(before.context, 'context');
    return canonicalJson({
      ...this.#actor({ ...turn, after: before }, moment),
      kind: 'state',
      to: before.value as Json,
      context: value,
      children: Object.keys(before.children as object),
      ...listed(paths),
    });
  }

  #stopped(turn: Turn, moment: Moment): string {
    const { before, after } = turn;
    const status = after.status === 'done' ? 'done' : 'stopped';
    return canonicalJson({
      ...this.#actor(turn, moment),
      kind: 'stopped',
      from: (before ?? after).value as Json,
      status,
    });
  }

  #actor({ actor, after }: Turn, { at, mono }: Moment): object {
    const { generation } = after.context as { generation?: unknown };
    return {
      v: AUDIT_VERSION,
      at,
      mono,
      actor: actor.path,
      machine: machineName(actor.machine, this.#hashes[actor.machine]),
      ...(typeof generation === 'number' && { generation }),
    };
  }

  // paths of what is redacted are those of the context, whatever part of it has changed
  #changes(before: AnyMachineSnapshot, after: AnyMachineSnapshot): Redacted | null {
    if (before.context === after.context) return null;
    const changes = changesBetween(before.context as object, after.context as object);
    return this.#redaction.ofChanges(changes, 'context');
  }
}

function listed(paths: readonly string[]): { redacted?: readonly string[] } {
  return paths.length > 0 ? { redacted: paths } : {};
}
