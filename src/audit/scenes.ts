import type { AnyMachineSnapshot } from 'xstate';

import { MACHINES, readMachineName } from './definitions.ts';
import { timeOf } from './facts.ts';
import { isPlayable } from './playable.ts';
import type { AuditRecord, Json, StartedRecord, StateRecord, StepRecord } from './record.ts';
import { Rehearsal } from './rehearsal.ts';
import type { RecordedEvent, RehearsalStart } from './rehearse.ts';

/** Turns of one actor that follow each other, from a beginning that is on record. */
export interface Scene {
  /** As records name it. */
  machine: string;
  at: number;
  start: RehearsalStart;
  /** The state that it begins in. */
  begins: Json;
  turns: RecordedTurn[];
}

export interface RecordedTurn {
  at: number;
  event: RecordedEvent;
  to: Json;
  effects: readonly string[];
}

/** What is on record of one actor. */
export interface Cast {
  actor: string;
  scenes: Scene[];
  /** How many turns there were, also those that are not kept. */
  turns: number;
  kept: number;
}

export interface ScenesOptions {
  /** Whether the turns of an actor are wanted. */
  isWanted: (actor: string, machine: string) => boolean;
  from: number;
  to: number;
}

/** An actor whose state is known from the records. */
interface Followed {
  /** The last scene; before the time asked about there is none. */
  scene: Scene | null;
  machine: string;
  rehearsal: Rehearsal;
  snapshot: AnyMachineSnapshot | null;
}

const MOST_TURNS = 1_000;
const MOST_KEPT = 20_000;

/** The turns of actors as scenes that can be played again. Of each actor the first thousand turns are kept, and of many those actors that have most. */
export class Scenes {
  readonly #options: ScenesOptions;
  readonly #casts = new Map<string, Cast>();
  readonly #followed = new Map<string, Followed>();
  #kept = 0;

  constructor(options: ScenesOptions) {
    this.#options = options;
  }

  /** The one with most turns. */
  get longest(): Cast | null {
    return [...this.#casts.values()].reduce<Cast | null>(
      (most, cast) => (most && most.turns >= cast.turns ? most : cast),
      null,
    );
  }

  /** Takes the next record. Whatever it holds, nothing is thrown. */
  take(record: AuditRecord): void {
    const at = timeOf(record.at);
    if (!isPlayable(record) || (at === null ? 'actor' in record : at > this.#options.to)) return;
    switch (record.kind) {
      case 'started':
        this.#begin(record, { input: record.event['input'] ?? null });
        break;
      case 'state':
        // of an actor that is followed it says what is known
        if (!this.#followed.has(record.actor)) {
          this.#begin(record, { to: record.to, context: record.context, children: record.children });
        }
        break;
      case 'step':
        this.#step(record);
        break;
      case 'stopped':
      case 'died':
        this.#followed.delete(record.actor);
        break;
      case 'gap':
      case 'opened':
        this.#followed.clear();
        break;
      default:
    }
  }

  #begin({ actor, machine: name, at, to }: StartedRecord | StateRecord, start: RehearsalStart): void {
    const { id } = readMachineName(name);
    const machine = MACHINES.get(id);
    if (!machine || !this.#options.isWanted(actor, id)) return;
    const followed: Followed = { scene: null, machine: name, rehearsal: new Rehearsal(machine), snapshot: null };
    this.#followed.set(actor, followed);
    if (at >= this.#options.from) this.#open(actor, followed, { machine: name, at, start, begins: to, turns: [] });
    else {
      const { rehearsal } = followed;
      this.#pass(actor, () => ('input' in start ? rehearsal.begin(start.input).snapshot : rehearsal.pose(start)));
    }
  }

  #step(record: StepRecord): void {
    const { actor, at, event, to, effects = [] } = record;
    const followed = this.#followed.get(actor);
    if (!followed) return;
    const { rehearsal, snapshot, scene } = followed;
    if (at < this.#options.from && !scene) {
      if (snapshot) this.#pass(actor, () => rehearsal.step(snapshot, event).snapshot);
      return;
    }
    const present = scene ?? this.#enter(actor, followed, at);
    const cast = this.#casts.get(actor);
    if (!present || !cast) return;
    cast.turns += 1;
    if (cast.kept >= MOST_TURNS) return;
    present.turns.push({ at, event, to, effects });
    this.#count(cast);
  }

  // what led to the time asked about is passed, and not kept
  #pass(actor: string, act: () => AnyMachineSnapshot): void {
    const followed = this.#followed.get(actor);
    try {
      if (followed) followed.snapshot = act();
    } catch {
      this.#followed.delete(actor);
    }
  }

  #enter(actor: string, followed: Followed, at: number): Scene | null {
    const { snapshot, machine } = followed;
    if (!snapshot) return null;
    const { value, context, children } = snapshot as { value: Json; context: Json; children: object };
    const start = { to: value, context, children: Object.keys(children) };
    return this.#open(actor, followed, { machine, at, start, begins: value, turns: [] });
  }

  #open(actor: string, followed: Followed, scene: Scene): Scene {
    const cast = this.#casts.get(actor) ?? { actor, scenes: [], turns: 0, kept: 0 };
    this.#casts.set(actor, cast);
    followed.scene = scene;
    followed.snapshot = null;
    if (cast.kept < MOST_TURNS) {
      cast.scenes.push(scene);
      this.#count(cast);
    }
    return scene;
  }

  #count(cast: Cast): void {
    cast.kept += 1;
    this.#kept += 1;
    if (this.#kept <= MOST_KEPT || this.#casts.size === 1) return;
    const others = [...this.#casts.values()].filter((other) => other !== cast);
    const least = others.reduce((one, other) => (other.turns < one.turns ? other : one));
    this.#casts.delete(least.actor);
    this.#followed.delete(least.actor);
    this.#kept -= least.kept;
  }
}
