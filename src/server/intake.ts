import { Acknowledging, ackPolicyFor } from '../core/acknowledging.ts';
import { ByPosition } from '../core/by-position.ts';
import { Incoming } from '../core/ledger.ts';
import { WireClose } from '../protocol/close-codes.ts';
import type { WireMeta } from '../protocol/frames.ts';
import { ProtocolViolation } from '../protocol/violation.ts';
import type { ServerLimits } from './options.ts';
import type { Ownership } from './ownership.ts';
import { Refusals, type Refusal, type RefusalsOptions } from './refusals.ts';
import type { SessionStore } from './store.ts';

/** A message as it came: its payload, and what travelled with it. */
export interface Arrival {
  readonly data: unknown;
  readonly meta: WireMeta;
}

/** A message with its position, and what it takes of the memory. */
export interface HeldMessage extends Arrival {
  readonly position: number;
  /** Its share of the frame, unless it was looked at more closely. */
  bytes: number;
}

export interface IntakeOptions {
  sid: string;
  principal: string;
  /** The last position that was accepted before. */
  accepted: number;
  store: SessionStore;
  ownership: Ownership;
  limits: Pick<ServerLimits, 'windowMessages' | 'windowBytes' | 'inflatedBytes'>;
  now: () => number;
  /** Hands a message over. */
  deliver: (message: HeldMessage) => void;
  /** Something is to be acknowledged, at the latest in so many ms. */
  acknowledge: (withinMs: number) => void;
  say: RefusalsOptions['say'];
  fault: (cause: unknown) => void;
  /** What came, and was looked at later, breaks the protocol. */
  violated: (violation: ProtocolViolation) => void;
}

/**
 * The way in: messages are handed over in order and once; what the application has accepted goes to the store, and then to the client as
 * an acknowledgement, in that order.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #ledger = new Incoming();
  readonly #acknowledging: Acknowledging;
  // what was handed over and not accepted, by position
  readonly #held = new ByPosition<HeldMessage>();
  #heldBytes = 0;
  // of what was accepted since the last thought of an acknowledgement
  #releasedBytes = 0;
  // up to here messages were weighed one by one
  #weighedTo = 0;
  // up to here the store has it, and the client may be told
  #stored: number;
  #told: number;
  // messages that wait until the store has said which keys are known
  readonly #unsorted: HeldMessage[] = [];
  #isSorting = false;
  // keys that are with the application, and those accepted that the store does not have yet
  readonly #keys = new Set<string>();
  #acceptedKeys: string[] = [];
  #isWriting = false;
  readonly #refusals: Refusals;

  constructor(options: IntakeOptions) {
    const { accepted, limits } = options;
    this.#options = options;
    this.#ledger.restart(accepted);
    this.#stored = this.#told = accepted;
    this.#acknowledging = new Acknowledging(
      ackPolicyFor({ messages: limits.windowMessages, bytes: limits.windowBytes }),
    );
    this.#acknowledging.told(accepted);
    this.#refusals = new Refusals({
      say: options.say,
      now: options.now,
      known: (position) => {
        this.#settle(position);
      },
    });
  }

  /** How many were handed over and are not accepted. */
  get size(): number {
    return this.#held.size;
  }

  /** The position up to which the store has everything. */
  get stored(): number {
    return this.#stored;
  }

  /** Whether the client has not been told of everything that is stored. */
  get hasNews(): boolean {
    return this.#stored > this.#told;
  }

  /**
   * Messages came, from position `first` on, in a frame of so many bytes.
   *
   * @throws {ProtocolViolation} For a gap, and for more than the window allows.
   */
  arrived(first: number, arrivals: readonly Arrival[], frameBytes: number): void {
    const known = this.#ledger.handed;
    const skipped = this.#ledger.arrived(first, arrivals.length);
    if (skipped === null) throw new ProtocolViolation(`a gap: position ${first} came after ${known}`, WireClose.gap);
    // they were sent again because an acknowledgement was lost
    if (skipped > 0) this.#options.acknowledge(0);
    const bytes = frameBytes / arrivals.length;
    const fresh: HeldMessage[] = [];
    for (let index = skipped; index < arrivals.length; index++) {
      const { data, meta } = arrivals[index] as Arrival;
      const message = { data, meta, bytes, position: first + index };
      fresh.push(message);
      this.#hold(message);
    }
    this.#checkWindow();
    for (const message of fresh) this.#unsorted.push(message);
    if (!this.#isSorting) this.#sort();
  }

  /** The application has accepted a message. */
  accept(position: number): void {
    const message = this.#held.get(position);
    if (!message || this.#refusals.has(position)) return;
    if (message.meta.k !== undefined) this.#acceptedKeys.push(message.meta.k);
    this.#settle(position);
  }

  /** The application did not take a message: the client is told, and once it knows, the message counts as accepted. */
  refuse(position: number, refusal: Refusal): void {
    if (this.#held.get(position) && !this.#refusals.has(position)) this.#refusals.refuse(position, refusal);
  }

  /** The client has answered a ping of this server. */
  ponged(ping: number): void {
    this.#refusals.ponged(ping);
  }

  /** Another socket has the session, and its `welcome` told of everything up to a position. */
  attached(told: number): void {
    // the store may have said so to whoever asked for the session before it has answered here
    this.#stored = Math.max(this.#stored, told);
    this.#told = told;
    this.#acknowledging.told(told);
    this.#refusals.attached();
    this.#announce();
    this.#write();
  }

  /** The position to acknowledge; from now on the client knows it. */
  tell(): number {
    this.#told = this.#stored;
    this.#acknowledging.told(this.#stored);
    return this.#stored;
  }

  #hold(message: HeldMessage): void {
    this.#held.set(message.position, message);
    this.#heldBytes += message.bytes;
  }

  // the key of what was accepted stays here until the store has it
  #settle(position: number): void {
    const message = this.#held.get(position);
    if (!message) return;
    const { k } = message.meta;
    if (k !== undefined && !this.#acceptedKeys.includes(k)) this.#keys.delete(k);
    this.#drop(message);
  }

  #checkWindow(): void {
    const { windowMessages, windowBytes, inflatedBytes } = this.#options.limits;
    // one message always may go beyond it
    const most = windowBytes + inflatedBytes;
    if (this.#heldBytes > most) this.#weigh();
    // by what is not acknowledged, for only that the client knows of
    if (this.#ledger.handed - this.#stored > Math.max(1, windowMessages) || this.#heldBytes > most)
      throw new ProtocolViolation('more came than the window allows');
  }

  // to share a frame evenly costs nothing, and is wrong where a small message and a large one came together
  #weigh(): void {
    this.#heldBytes = 0;
    for (const [, message] of this.#held) {
      if (message.position > this.#weighedTo) message.bytes = weightOf(message);
      this.#heldBytes += message.bytes;
    }
    this.#weighedTo = this.#ledger.handed;
  }

  // in order: a message with a key waits for the store's answer, and all after it wait with it
  #sort(): void {
    for (;;) {
      const keyed = this.#unsorted.findIndex(({ meta }) => meta.k !== undefined);
      const free = this.#unsorted.splice(0, keyed < 0 ? this.#unsorted.length : keyed);
      for (const message of free) this.#options.deliver(message);
      if (this.#unsorted.length === 0) return;
      if (this.#unsorted[0]?.meta.k !== undefined) break;
    }
    this.#isSorting = true;
    const batch = this.#unsorted.slice();
    const keys = batch.flatMap(({ meta }) => meta.k ?? []);
    // by the time of the answer the store may have them, and they are gone from here
    const pending = keys.filter((key) => this.#keys.has(key));
    const { store, principal, fault } = this.#options;
    store.known(principal, keys).then(
      (known) => {
        this.#sortedLater(batch.length, new Set([...known, ...pending]));
      },
      (cause: unknown) => {
        // whether it came before cannot be told: it may come twice, but is not lost
        fault(cause);
        this.#sortedLater(batch.length, new Set(pending));
      },
    );
  }

  // nobody up there catches what is thrown
  #sortedLater(count: number, known: ReadonlySet<string>): void {
    try {
      this.#sorted(count, known);
    } catch (cause) {
      if (cause instanceof ProtocolViolation) this.#options.violated(cause);
      else this.#options.fault(cause);
    }
  }

  #sorted(count: number, known: ReadonlySet<string>): void {
    this.#isSorting = false;
    for (const message of this.#unsorted.splice(0, count)) {
      const { k } = message.meta;
      const isRepetition = k !== undefined && (known.has(k) || this.#keys.has(k));
      if (k !== undefined) this.#keys.add(k);
      if (isRepetition) this.#drop(message);
      else this.#options.deliver(message);
    }
    this.#sort();
  }

  // the first of its key stays where it is
  #drop({ position, bytes }: HeldMessage): void {
    this.#held.delete(position);
    this.#heldBytes -= bytes;
    this.#releasedBytes += bytes;
    this.#ledger.accept(position);
    this.#write();
  }

  // one at a time: what is accepted meanwhile goes with the next
  #write(): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    void this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    const { store, sid, ownership, fault } = this.#options;
    let keys: string[] = [];
    try {
      // everything that is accepted in this turn goes together
      await Promise.resolve();
      while (this.#ledger.accepted > this.#stored || this.#acceptedKeys.length > 0) {
        const upTo = this.#ledger.accepted;
        keys = this.#acceptedKeys.splice(0);
        const refusal = await ownership.write((gen) => store.accept(sid, gen, { upTo, keys }));
        if (refusal !== null) return;
        this.#stored = Math.max(this.#stored, upTo);
        for (const key of keys) this.#keys.delete(key);
        this.#announce();
      }
    } catch (cause) {
      // what is not stored is not acknowledged: it is tried again with what is accepted next, or by the next socket
      this.#acceptedKeys.unshift(...keys);
      fault(cause);
    } finally {
      this.#isWriting = false;
    }
  }

  #announce(): void {
    const { acknowledge, now } = this.#options;
    const withinMs = this.#acknowledging.accepted(this.#stored, { now: now(), bytes: this.#releasedBytes });
    this.#releasedBytes = 0;
    if (withinMs !== null) acknowledge(withinMs);
  }
}

// in UTF-16 units, of which there are never more than bytes
function weightOf({ data, meta, bytes }: HeldMessage): number {
  try {
    const metaLength = Object.keys(meta).length > 0 ? JSON.stringify(meta).length : 0;
    return (data instanceof Uint8Array ? data.length : JSON.stringify(data).length) + metaLength;
  } catch {
    // the application has it already, and may have made something of it that JSON cannot hold
    return bytes;
  }
}
