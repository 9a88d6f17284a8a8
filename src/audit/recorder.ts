import type { AnyMachineSnapshot } from 'xstate';

import { canonicalJson, canonicalText, canonicalTime } from './canonical.ts';
import { changesBetween } from './changes.ts';
import { machineName, type Hashes } from './definitions.ts';
import type { Turn } from './observation.ts';
import { AUDIT_VERSION, type TakenTransition } from './record.ts';
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
}

/** When something happened. */
export interface Moment {
  at: number;
  mono: number;
}

// what a record may say, in the order of canonical JSON: as JSON already, `undefined` for what it does not say
interface Parts {
  children?: string | undefined;
  context?: string | undefined;
  delays?: string | undefined;
  effects?: string | undefined;
  error?: string | undefined;
  event?: string | undefined;
  from?: string | undefined;
  redacted?: string | undefined;
  refused?: string | undefined;
  source?: string | undefined;
  status?: string | undefined;
  to?: string | undefined;
  transitions?: string | undefined;
}

const MOST_EFFECTS = 1_000;

/** Writes what actors do as records: text is joined and not objects, for this happens in the middle of what the actors do. */
export class Recorder {
  readonly #redaction: Redaction;
  readonly #machines: ReadonlyMap<string, string>;
  readonly #effects = new Map<string, string>();

  constructor(redaction: Redaction, hashes: Hashes) {
    this.#redaction = redaction;
    this.#machines = new Map(Object.entries(hashes).map(([id, hash]) => [id, canonicalText(machineName(id, hash))]));
  }

  /** The record of a turn. */
  item(turn: Turn, moment: Moment): Item {
    const { actor } = turn;
    const { at } = moment;
    switch (turn.kind) {
      case 'started':
        return { at, actor, base: null, body: this.#happened(turn, moment) };
      case 'step':
        return { at, actor, base: () => this.#state(turn, moment), body: this.#happened(turn, moment) };
      case 'stopped':
        return { at, actor, body: this.#stopped(turn, moment) };
      case 'died':
        return { at, actor, body: this.#died(turn, moment) };
    }
  }

  #happened(turn: Turn, moment: Moment): string {
    const { kind, before, after, source, deeds } = turn;
    const { transitions, effects, delays } = deeds;
    const event = this.#redaction.of(turn.event, 'event');
    // how it begins follows from its input
    const context = before && kind === 'step' ? this.#changes(before, after) : null;
    const refused = kind === 'step' && transitions.length === 0 ? refusedBy(after, turn.event) : [];
    return this.#body(turn, moment, {
      context: context?.text,
      delays: listOf(delays, ({ event, ms }) => `{"event":${canonicalText(event)},"ms":${canonicalJson(ms)}}`),
      effects: listOf(effects, (effect) => this.#effect(effect)),
      event: event.text,
      from: before ? this.#value(turn, before) : undefined,
      redacted: listOf(context ? [...event.paths, ...context.paths] : event.paths, canonicalText),
      refused: listOf(refused, canonicalText),
      source: source === undefined ? undefined : canonicalText(source),
      to: this.#value(turn, after),
      transitions: listOf(transitions, textOf),
    });
  }

  #state(turn: Turn, moment: Moment): string {
    const before = turn.before as AnyMachineSnapshot;
    const { text: context, paths } = this.#redaction.of(before.context, 'context');
    return this.#body({ ...turn, kind: 'state', after: before }, moment, {
      children: canonicalJson(Object.keys(before.children as object)),
      context,
      redacted: listOf(paths, canonicalText),
      to: this.#value(turn, before),
    });
  }

  #stopped(turn: Turn, moment: Moment): string {
    const { before, after } = turn;
    const status = after.status === 'done' ? '"done"' : '"stopped"';
    return this.#body(turn, moment, { from: this.#value(turn, before ?? after), status });
  }

  #died(turn: Turn, moment: Moment): string {
    const { text: error, paths } = this.#redaction.of((turn.event as { error?: unknown }).error, 'error');
    return this.#body(turn, moment, {
      error,
      from: this.#value(turn, turn.after),
      redacted: listOf(paths, canonicalText),
    });
  }

  #body(
    { actor, kind, after }: { actor: Turn['actor']; kind: string; after: AnyMachineSnapshot },
    moment: Moment,
    parts: Parts,
  ): string {
    const { generation } = after.context as { generation?: unknown };
    const {
      children,
      context,
      delays,
      effects,
      error,
      event,
      from,
      redacted,
      refused,
      source,
      status,
      to,
      transitions,
    } = parts;
    let text = `{"actor":${actor.quoted},"at":${moment.at}`;
    if (children !== undefined) text += `,"children":${children}`;
    if (context !== undefined) text += `,"context":${context}`;
    if (delays !== undefined) text += `,"delays":${delays}`;
    if (effects !== undefined) text += `,"effects":${effects}`;
    if (error !== undefined) text += `,"error":${error}`;
    if (event !== undefined) text += `,"event":${event}`;
    if (from !== undefined) text += `,"from":${from}`;
    if (typeof generation === 'number') text += `,"generation":${generation}`;
    text += `,"kind":"${kind}","machine":${this.#machines.get(actor.machine) ?? '""'},"mono":${canonicalTime(moment.mono)}`;
    if (redacted !== undefined) text += `,"redacted":${redacted}`;
    if (refused !== undefined) text += `,"refused":${refused}`;
    if (source !== undefined) text += `,"source":${source}`;
    if (status !== undefined) text += `,"status":${status}`;
    if (to !== undefined) text += `,"to":${to}`;
    if (transitions !== undefined) text += `,"transitions":${transitions}`;
    // one piece: what waits as many costs the garbage collector and the digest several times as much
    return [text, `,"v":${AUDIT_VERSION}}`].join('');
  }

  // there are few, but for those that name a connection
  #effect(effect: string): string {
    const known = this.#effects.get(effect);
    if (known !== undefined) return known;
    const text = canonicalText(this.#redaction.name(effect));
    if (this.#effects.size < MOST_EFFECTS && !effect.includes(':')) this.#effects.set(effect, text);
    return text;
  }

  // the state after a turn is that before the next
  #value({ actor }: Pick<Turn, 'actor'>, { value }: AnyMachineSnapshot): string {
    const known = actor.shown;
    if (known && known.value === value) return known.text;
    const text = canonicalJson(value);
    actor.shown = { value, text };
    return text;
  }

  #changes(before: AnyMachineSnapshot, after: AnyMachineSnapshot): Redacted | null {
    if (before.context === after.context) return null;
    return this.#redaction.ofChanges(changesBetween(before.context as object, after.context as object));
  }
}

const texts = new WeakMap<TakenTransition, string>();

function textOf(transition: TakenTransition): string {
  let text = texts.get(transition);
  if (text === undefined) texts.set(transition, (text = canonicalJson(transition)));
  return text;
}

// nothing is said of what there is none of
function listOf<Item>(items: readonly Item[], write: (item: Item) => string): string | undefined {
  return items.length === 0 ? undefined : `[${items.map(write).join(',')}]`;
}
