import type { AnyMachineSnapshot } from 'xstate';

import { canonicalText } from './canonical.ts';
import { noDeeds, noteEffect, takenOf, type Deeds, type RawEffect, type RawTransition } from './turns.ts';

/** A system of actors that can be watched: that of a service. */
export interface ObservableSystem {
  /** The root actor. */
  readonly root: unknown;
  /** Attaches an observer to every actor of the system, present and future. */
  inspect(observer: (event: never) => void): { unsubscribe(): void };
}

/** An actor with a machine. */
export interface ObservedActor {
  /** The ids from the root to it. The root goes by the name it is given. */
  readonly path: string;
  /** The same as JSON. */
  readonly quoted: string;
  /** The id of its machine. */
  readonly machine: string;
  /** The state that was last written of it, as JSON. */
  shown?: { value: unknown; text: string };
}

/** What an actor has done. */
export interface Turn {
  kind: 'started' | 'step' | 'stopped' | 'died';
  actor: ObservedActor;
  /** `null` before it was started. */
  before: AnyMachineSnapshot | null;
  /** What it died of leaves it as it was. */
  after: AnyMachineSnapshot;
  /** What it took, or died of. */
  event: { type: string };
  /** The path of the actor that sent it; `undefined` where it came from outside. */
  source: string | undefined;
  deeds: Deeds;
}

interface Ref {
  id: string;
  _parent?: Ref;
  logic: { root?: object; id?: string };
  getSnapshot(): AnyMachineSnapshot;
  subscribe(observer: { error: (cause: unknown) => void }): { unsubscribe(): void };
}

// what inspection tells, in the shape of XState 5; this is the one place that knows it
interface Inspected {
  type: string;
  actorRef: Ref;
  sourceRef?: Ref;
  event: { type: string; error?: unknown };
  action: RawEffect;
  snapshot: AnyMachineSnapshot;
  _transitions: readonly RawTransition[];
}

interface Known {
  actor: ObservedActor;
  before: AnyMachineSnapshot | null;
  /** Whether it was seen from the moment it was made. */
  isSeenWhole: boolean;
  deeds: Deeds;
  /** Events that it was sent and has not taken yet, with their senders. */
  sent: { event: object; source: string | undefined }[];
}

const DEATH = 'xstate.error.actor.';

/** What the root is called, and how ids are written. */
export interface Naming {
  name: string;
  /** @default as they are */
  nameOf?: (id: string) => string;
}

/** Follows every actor with a machine of one system, from the moment it is made. */
export class Observation {
  // those that were made and never started are forgotten with their last reference
  #known = new WeakMap<Ref, Known>();
  readonly #root: Ref;
  readonly #nameOf: (id: string) => string;
  readonly #name: string;
  readonly #hear: (turn: Turn) => void;
  readonly #ends: { unsubscribe(): void }[];

  constructor(system: ObservableSystem, { name, nameOf = (id) => id }: Naming, hear: (turn: Turn) => void) {
    this.#name = escaped(nameOf(name));
    this.#nameOf = nameOf;
    this.#hear = hear;
    const root = system.root as Ref;
    this.#root = root;
    this.#meet(root);
    this.#ends = [
      system.inspect((event) => {
        this.#observe(event);
      }),
      // of the death of the root no actor is told
      root.subscribe({
        error: (cause) => {
          this.#died(root, cause);
        },
      }),
    ];
  }

  /** Whether there is nobody left to be observed. */
  get isOver(): boolean {
    return this.#root.getSnapshot().status !== 'active';
  }

  end(): void {
    for (const subscription of this.#ends) subscription.unsubscribe();
    this.#known = new WeakMap();
  }

  // those that are there already have been started unseen
  #meet(ref: Ref): void {
    const snapshot = ref.getSnapshot();
    if (!isMachine(ref) || snapshot.status !== 'active') return;
    this.#knownOf(ref).before = snapshot;
    for (const child of Object.values(snapshot.children as Record<string, Ref | undefined>))
      if (child) this.#meet(child);
  }

  #observe(inspected: Inspected): void {
    const { actorRef } = inspected;
    if (!isMachine(actorRef)) return;
    switch (inspected.type) {
      case '@xstate.actor':
        this.#knownOf(actorRef).isSeenWhole = true;
        break;
      case '@xstate.event':
        this.#sent(inspected);
        break;
      case '@xstate.microstep':
        for (const transition of inspected._transitions)
          this.#knownOf(actorRef).deeds.transitions.push(takenOf(transition));
        break;
      case '@xstate.action':
        noteEffect(this.#knownOf(actorRef).deeds, inspected.action, actorRef);
        break;
      case '@xstate.snapshot':
        this.#turned(inspected);
        break;
      default:
    }
  }

  #sent({ actorRef, sourceRef, event }: Inspected): void {
    if (sourceRef && event.type.startsWith(DEATH)) this.#died(sourceRef, event.error);
    // callbacks send as well, and have no machine
    this.#knownOf(actorRef).sent.push({ event, source: sourceRef && this.#pathOf(sourceRef) });
  }

  #turned({ actorRef, event, snapshot: after }: Inspected): void {
    const known = this.#knownOf(actorRef);
    const { actor, before, deeds, sent } = known;
    const place = sent.findIndex((one) => one.event === event);
    const source = sent[place]?.source;
    known.deeds = noDeeds();
    known.before = after;
    sent.splice(0, place + 1);
    // of a turn that had begun before the first look only the end is known
    const isWhole = event.type === 'xstate.init' ? known.isSeenWhole : before !== null && place >= 0;
    const kind = event.type === 'xstate.init' ? 'started' : 'step';
    if (event.type === 'xstate.stop')
      this.#ended(actorRef, { kind: 'stopped', actor, before, after, event, source, deeds });
    else if (isWhole) this.#hear({ kind, actor, before, after, event, source, deeds });
    if (after.status === 'done') {
      this.#ended(actorRef, { kind: 'stopped', actor, before: after, after, event, source, deeds });
    }
  }

  #died(ref: Ref, error: unknown): void {
    const known = this.#known.get(ref);
    if (!known?.before) return;
    const { actor, before } = known;
    const event = { type: 'died', error };
    this.#ended(ref, { kind: 'died', actor, before, after: before, event, source: undefined, deeds: noDeeds() });
  }

  #ended(ref: Ref, turn: Turn): void {
    if (this.#known.delete(ref)) this.#hear(turn);
  }

  #knownOf(ref: Ref): Known {
    const present = this.#known.get(ref);
    if (present) return present;
    const path = this.#pathOf(ref);
    const actor = { path, quoted: canonicalText(path), machine: ref.logic.id ?? '' };
    const known: Known = { actor, before: null, isSeenWhole: false, sent: [], deeds: noDeeds() };
    this.#known.set(ref, known);
    return known;
  }

  // most that are asked for are those of callbacks, which live for one event: there is nothing to keep
  #pathOf(ref: Ref): string {
    const known = this.#known.get(ref);
    if (known) return known.actor.path;
    return ref._parent ? `${this.#pathOf(ref._parent)}/${escaped(this.#nameOf(ref.id))}` : this.#name;
  }
}

function isMachine(ref: Ref): boolean {
  return ref.logic.root !== undefined;
}

// an id may hold what separates ids
function escaped(id: string): string {
  return id.replace(/[%/]/g, (character) => (character === '%' ? '%25' : '%2F'));
}
