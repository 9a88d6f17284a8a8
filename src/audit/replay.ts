import type { AnyMachineSnapshot } from 'xstate';

import { canonicalJson } from './canonical.ts';
import { changesBetween } from './changes.ts';
import { hashes, MACHINES, readMachineName, type Hashes } from './definitions.ts';
import { isPlayable } from './playable.ts';
import type { ActorRecordBase, AuditRecord, Happened, Json, StartedRecord, StateRecord, StepRecord } from './record.ts';
import { REDACTED } from './redaction.ts';
import { Rehearsal, type Rehearsed } from './rehearsal.ts';
import { readingsOf, type AuditSource } from './source.ts';

/** Where the machine does something else than what is on record. */
export interface Divergence {
  /** The number of the record. */
  seq: number;
  actor: string;
  /** The id of the machine. */
  machine: string;
  /** The type of the event that it took. */
  event: string;
  /** In what they differ first; `event`: the machine's code threw. */
  what: 'from' | 'to' | 'transitions' | 'effects' | 'delays' | 'context' | 'event';
  recorded: Json;
  replayed: Json;
}

/** What a replay has found. */
export interface Replay {
  /** `equal`: every turn is the one that the machine takes; `empty`: there was none. */
  verdict: 'equal' | 'diverged' | 'empty';
  /** Turns that were compared. */
  turns: number;
  /** Turns that could not be: of actors of which the beginning is not there, or of which something was redacted that the machine decides by. */
  skipped: number;
  /** Actors whose turns were compared; one that begins anew is another. */
  actors: number;
  /** Transitions that were compared. */
  transitions: number;
  /** How many there are, and the first hundred: of an actor that has diverged nothing more is compared until its state is on record again. */
  diverged: number;
  divergences: Divergence[];
  /** Machines of which the records are of another version than these here, which may be why. */
  otherMachines: { machine: string; recorded: string; here: string }[];
  /** Machines that are not known here. */
  unknownMachines: string[];
}

const MOST_KEPT = 100;
const MOST_MACHINES = 100;
type Subject = Exclude<Divergence['what'], 'event' | 'from'>;

interface Compared extends Rehearsed {
  before: AnyMachineSnapshot | undefined;
}

/**
 * Steps the machines through recorded events, and compares every state, transition, effect, delay and change of context with what is on record. It only decides: no effect is
 * done again. What was redacted is equal to anything. Feed it records in order, of any number of actors.
 */
export class Replaying {
  readonly #hashes: Hashes;
  readonly #rehearsals = new Map<string, Rehearsal>();
  readonly #actors = new Map<string, AnyMachineSnapshot>();
  // those of whom something was left out that a machine may decide by
  readonly #clouded = new Set<string>();
  // those that were compared already, of those that live
  readonly #seen = new Set<string>();
  #compared = 0;
  readonly #others = new Map<string, Replay['otherMachines'][number]>();
  readonly #unknown = new Set<string>();
  readonly #divergences: Divergence[] = [];
  #diverged = 0;
  #turns = 0;
  #skipped = 0;
  #transitions = 0;

  constructor(known: Hashes) {
    this.#hashes = known;
  }

  get result(): Replay {
    return {
      verdict: this.#diverged > 0 ? 'diverged' : this.#turns > 0 ? 'equal' : 'empty',
      turns: this.#turns,
      skipped: this.#skipped,
      actors: this.#compared,
      transitions: this.#transitions,
      diverged: this.#diverged,
      divergences: this.#divergences,
      otherMachines: [...this.#others.values()],
      unknownMachines: [...this.#unknown],
    };
  }

  /** Takes the next record. Never throws. */
  take(record: AuditRecord, seq: number): void {
    if (!isPlayable(record)) {
      this.#skipped += 1;
      if ('actor' in record) this.#actors.delete(record.actor);
      return;
    }
    switch (record.kind) {
      case 'started':
      case 'step':
        this.#turn(record, seq);
        break;
      case 'state':
        this.#pose(record, seq);
        break;
      case 'stopped':
      case 'died':
        this.#actors.delete(record.actor);
        this.#seen.delete(record.actor);
        this.#clouded.delete(record.actor);
        break;
      case 'gap':
      case 'opened':
        // whatever happened meanwhile: who goes on says how it is
        this.#actors.clear();
        this.#seen.clear();
        this.#clouded.clear();
        break;
      default:
    }
  }

  #turn(record: StartedRecord | StepRecord, seq: number): void {
    const rehearsal = this.#rehearsalOf(record);
    const before = this.#actors.get(record.actor);
    if (!rehearsal || (record.kind === 'step' && !before)) {
      this.#skipped += 1;
      return;
    }
    this.#turns += 1;
    if (!this.#seen.has(record.actor)) this.#compared += 1;
    this.#seen.add(record.actor);
    if (record.kind === 'started') this.#clouded.delete(record.actor);
    if (isClouded(record)) this.#clouded.add(record.actor);
    try {
      const done =
        record.kind === 'step' && before
          ? rehearsal.step(before, record.event)
          : rehearsal.begin(record.event['input']);
      if (record.kind === 'step' && before && !isEqual(record.from, before.value)) {
        this.#differs(record, seq, { what: 'from', recorded: record.from, replayed: before.value as Json });
        return;
      }
      this.#compare(record, seq, { before, ...done });
    } catch (cause) {
      this.#differs(record, seq, { what: 'event', recorded: record.event, replayed: String(cause) });
    }
  }

  #compare(record: StartedRecord | StepRecord, seq: number, { before, snapshot, ...deeds }: Compared): void {
    const { transitions, effects, delays } = deeds;
    this.#transitions += transitions.length;
    const pairs: [Subject, Json | undefined, unknown][] = [
      ['to', record.to, snapshot.value],
      ['transitions', (record.transitions ?? []) as unknown as Json, transitions],
      ['effects', record.effects ?? [], effects],
      ['delays', record.delays ?? [], delays],
      [
        'context',
        record.context ?? {},
        before ? changesBetween(before.context as object, snapshot.context as object) : {},
      ],
    ];
    const first = pairs.find(([, recorded, replayed]) => !isEqual(recorded, replayed));
    if (!first) {
      if (snapshot.status === 'active') this.#actors.set(record.actor, snapshot);
      return;
    }
    const [what, recorded = null, replayed] = first;
    this.#differs(record, seq, { what, recorded, replayed: replayed as Json });
  }

  #pose(record: StateRecord, seq: number): void {
    const rehearsal = this.#rehearsalOf(record);
    if (!rehearsal) return;
    this.#clouded.delete(record.actor);
    if (isClouded(record)) this.#clouded.add(record.actor);
    try {
      this.#actors.set(record.actor, rehearsal.pose(record));
    } catch (cause) {
      this.#differs({ ...record, event: { type: '' } }, seq, {
        what: 'to',
        recorded: record.to,
        replayed: String(cause),
      });
    }
  }

  #differs(
    { actor, machine, event }: ActorRecordBase & Pick<Happened, 'event'>,
    seq: number,
    found: Pick<Divergence, 'what' | 'recorded' | 'replayed'>,
  ): void {
    this.#actors.delete(actor);
    if (this.#clouded.has(actor)) {
      // nobody can say what the machine would have done
      this.#skipped += 1;
      this.#turns -= 1;
      return;
    }
    this.#diverged += 1;
    if (this.#divergences.length >= MOST_KEPT) return;
    const { id } = readMachineName(machine);
    this.#divergences.push({ seq, actor, machine: id, event: event.type, ...found });
  }

  #rehearsalOf({ machine: name }: ActorRecordBase): Rehearsal | undefined {
    const present = this.#rehearsals.get(name);
    if (present) return present;
    const { id, hash } = readMachineName(name);
    const machine = MACHINES.get(id);
    if (!machine) {
      this.#unknown.add(id);
      return undefined;
    }
    const here = (this.#hashes[id] ?? '').slice(0, 16);
    if (hash !== here && this.#others.size < MOST_MACHINES)
      this.#others.set(name, { machine: id, recorded: hash, here });
    const rehearsal = new Rehearsal(machine);
    this.#rehearsals.set(name, rehearsal);
    return rehearsal;
  }
}

/**
 * Replays a log through the machines that are here. Whether it is genuine is another question: see {@link verify}.
 *
 * @param source As for {@link verify}; what is no entry is passed over.
 */
export async function replay(source: AuditSource): Promise<Replay> {
  const replaying = new Replaying(await hashes());
  for await (const readings of readingsOf(source)) {
    for (const { entry } of readings) if (entry) replaying.take(entry.record, entry.seq);
  }
  return replaying.result;
}

// texts for people decide nothing, and ids are written everywhere in the same way
const NEUTRAL = /\.(reason|message|stack|description|id|connectionId|actorId|group|type)$/;

function isClouded({ redacted }: ActorRecordBase): boolean {
  return Array.isArray(redacted) && redacted.some((path) => typeof path === 'string' && !NEUTRAL.test(path));
}

function isEqual(recorded: unknown, replayed: unknown): boolean {
  if (recorded === replayed || recorded === REDACTED || replayed === REDACTED) return true;
  if (typeof recorded !== 'object' || typeof replayed !== 'object' || !recorded || !replayed) {
    return canonicalJson(recorded ?? null) === canonicalJson(replayed ?? null);
  }
  if (Array.isArray(recorded) !== Array.isArray(replayed)) return false;
  const [one, other] = [recorded as Record<string, unknown>, replayed as Record<string, unknown>];
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].every((key) => isEqual(one[key], other[key]));
}
