import { fromCallback, type EventObject } from 'xstate';

import { outboxMachine, type OutboxEvent, type OutboxInput } from '../machines/outbox.ts';
import { Backlog, type OutboxLimits } from './backlog.ts';
import type { ErrorCode, MessageError } from './errors.ts';
import { Fates, type FatesOptions, type OutboxCounts, type OutboxLoad } from './fates.ts';
import { Gate } from './gate.ts';
import { FlushClock } from './core/flush-clock.ts';
import { Outgoing } from './core/ledger.ts';
import { Idle } from './idle.ts';
import { cancelOnAbort, OutboundMessage, shown, type MessageOrigin, type WaitingMessage } from './message.ts';
import type { Monitor } from './monitor.ts';
import { Postmark } from './postmark.ts';
import { pour, type FlowReports } from './pouring.ts';
import type { EncodedMessage } from './protocol/codec.ts';
import { sharedMemory, Slab, type Memory } from './protocol/slab.ts';
import type { SendOptions } from './receipt.ts';
import type { Clock } from './transport/clock.ts';
import { Relief } from './relief.ts';
import { Volatile } from './volatile.ts';
import type { Kept, Wire, WireReports } from './wire.ts';
import { worldOf } from './world.ts';

export interface OutboxOptions extends Omit<FatesOptions, 'settled'> {
  clock: Clock;
  limits: () => OutboxLimits;
  /** Whether a message may wait for a connection at all. */
  queueing: () => boolean;
  /** Copies bytes to this memory. @throws {MessageError} When the message cannot travel. */
  encode: (message: unknown, memory: Memory) => EncodedMessage;
  /** Whether the peer takes any message twice without harm. */
  resendSafe: () => boolean;
  /** What a session that is shared keeps of this connection's messages. @default its own ledger */
  kept?: () => Kept | undefined;
  /** Hears of what is handed to a socket, once per flush; and is why messages know how long they wait. @default none */
  monitor?: (() => Pick<Monitor, 'sending' | 'sent'> | undefined) | undefined;
}

/**
 * The way out: messages wait until a wire is attached and the chart lets them flow; then they leave at the end of each turn, and of many
 * requests the first before it. Every message given to it has exactly one fate, which its receipt and the counters tell.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #backlog: Backlog;
  readonly #fates: Fates;
  readonly #flushClock: FlushClock;
  /** What a session has sent and the peer has not acknowledged. Empty on a plain wire. */
  readonly ledger = new Outgoing<OutboundMessage>();
  #wire: Wire | undefined;
  // the last one that was attached, until it is lost
  #lastWire: Wire | undefined;
  // present while the chart lets messages leave
  #flow: FlowReports | undefined;
  #onOverflow: (() => void) | undefined;
  readonly #relief = new Relief();
  readonly #idle = new Idle(() => this.#backlog.size === 0 && this.#handed === 0);
  // a custom socket may run the application's code inside send()
  #isFlushing = false;
  // the first turn with a transport is not over
  #isOnTrial = false;
  readonly #gate = new Gate();
  readonly #postmark: Postmark;
  readonly #volatile: Volatile;
  readonly #taken = { messages: 0 };
  readonly #slab = new Slab(sharedMemory);

  constructor(options: OutboxOptions) {
    const { clock, limits, context, fated, undelivered } = options;
    this.#options = options;
    this.#fates = new Fates({
      settled: () => {
        this.#idle.look();
      },
      ...{ context, fated, undelivered },
    });
    this.#volatile = new Volatile(this.#fates, this.#taken);
    this.#postmark = new Postmark({
      clock,
      isTimed: () => options.monitor?.() !== undefined,
      cancel: (message) => this.#withdraw(message, 'SEND_CANCELLED'),
    });
    this.#backlog = new Backlog({
      clock,
      limits,
      taken: this.#taken,
      dropped: (message, code, cause) => {
        this.#fates.dropped(message, code, { cause });
      },
      overflowed: () => this.#onOverflow?.(),
    });
    this.#flushClock = new FlushClock({
      clock,
      lingerMs: () => limits().lingerMs,
      flush: () => {
        this.#isOnTrial = false;
        return this.flush();
      },
    });
  }

  /** What a wire of this outbox reports to. */
  readonly reports: WireReports = {
    sent: (message) => {
      this.#fates.sent(message);
    },
    refused: (message, code, details) => {
      this.#fates.dropped(message, code, details);
    },
    orphaned: (message) => {
      if (!this.#takeBack(message)) this.#fates.lost(message);
    },
  };

  /** Takes a message. Never throws: what is refused is told by the receipt. */
  push(payload: unknown, options: SendOptions = {}, meta?: MessageOrigin['meta']): OutboundMessage {
    if (meta?.r !== undefined) this.#flushClock.asking();
    const canWait = this.#wire?.isOpen === true || this.#options.queueing();
    const obstacle = this.#gate.obstacle(options, canWait);
    if (obstacle) return this.refused(this.#fates.error(obstacle.code, { cause: obstacle.cause }));
    let message: OutboundMessage;
    try {
      message = this.#messageOf(this.#options.encode(payload, this.#wire ? this.#slab : sharedMemory), options, meta);
    } catch (error) {
      const { code, message: text, cause } = error as MessageError;
      return this.refused(this.#fates.error(code, { message: text, cause }));
    }
    const { maxMessageBytes } = this.#options.limits();
    if (message.bytes > maxMessageBytes) {
      const text = `The message has ${message.bytes} bytes; ${maxMessageBytes} are allowed.`;
      return this.#fates.refused(message, this.#fates.error('MESSAGE_TOO_BIG', { message: text }));
    }
    if (options.volatile) return this.#pushVolatile(message, options);
    if (!this.#backlog.place(message, this.#makeWay))
      return this.#fates.refused(message, this.#fates.error('QUEUE_FULL', { message: this.#backlog.fullness }));
    this.#fates.accepted();
    cancelOnAbort(message, options.signal, this.#withdraw);
    if (message.priority === 'critical') this.#rush();
    this.#request();
    return message;
  }

  /** The receipt of a message that was refused before it came here. */
  refused(error: MessageError): OutboundMessage {
    return this.#fates.refused(this.#messageOf({ data: '', bytes: 0, form: 'text' }, {}), error);
  }

  /**
   * From now on messages can go to this wire; the first of them a turn later. A server that accepts and closes at once has its close
   * frame read by then, and what waits is not risked on it. `isTrusted`: the peer has proved that it listens.
   */
  attach(wire: Wire, { isTrusted = false }: { isTrusted?: boolean } = {}): void {
    this.#wire = this.#lastWire = wire;
    this.#relief.watch(wire);
    this.#isOnTrial = !isTrusted;
    if (isTrusted) this.#request();
    else this.#flushClock.defer(0);
  }

  /** From now on messages wait. What the socket has taken is followed until it is {@link Outbox.lost}. */
  detach(): void {
    this.#wire = undefined;
    this.#flushClock.cancel();
    this.#slab.rest();
    this.#volatile.drop();
    // what was about to leave in this turn would wait now
    if (!this.#options.queueing()) this.#backlog.clear('NOT_OPEN');
    this.#idle.look();
  }

  /** The socket is gone. `wasRead`: the peer agreed to our close, and so has read everything before it. @returns How many messages it left in doubt. */
  lost({ wasRead }: { wasRead: boolean }): number {
    this.#wire = undefined;
    const held = this.#lastWire?.lost({ wasRead }) ?? [];
    this.#lastWire = undefined;
    return this.forsake(held);
  }

  /** Nobody knows what became of these. @returns How many are in doubt for good; the others go back to the heads of their lanes. */
  forsake(messages: readonly OutboundMessage[]): number {
    // from the last to the first, for each goes to the head of its lane; and before anybody hears of the others
    const forsaken = messages.toReversed().filter((message) => !message.isGreeting && !this.#takeBack(message));
    for (const message of forsaken) this.#fates.lost(message);
    this.#idle.look();
    return forsaken.filter(({ isAnswered }) => !isAnswered).length;
  }

  /** The peer has accepted these. */
  acknowledged(messages: readonly OutboundMessage[]): void {
    for (const message of messages) if (!message.isGreeting) this.#fates.acknowledged(message);
    this.#idle.look();
    this.#emptied();
  }

  /** The peer has these and refused them. */
  rejected(message: OutboundMessage, error: MessageError): void {
    this.#fates.rejected(message, error);
    this.#emptied();
  }

  /** Lets messages leave until the returned function is called. The chart decides when. */
  startFlow(reports: FlowReports): () => void {
    this.#flow = reports;
    this.#emptied();
    this.#request();
    return () => {
      if (this.#flow === reports) this.#flow = undefined;
    };
  }

  /** Calls back once the socket's buffer is at the low water mark. @returns Takes that back. */
  watchRelief(relieved: () => void): () => void {
    return this.#relief.wait(this.#wire, { lowWaterBytes: this.#options.limits().lowWaterBytes, relieved });
  }

  /** Calls back whenever the queue begins to overflow. @returns Takes that back. */
  watchOverflow(overflowed: () => void): () => void {
    this.#onOverflow = overflowed;
    return () => {
      this.#onOverflow = undefined;
    };
  }

  /** Calls back when nothing waits, neither here nor in the socket: now, or once. @returns Takes that back. */
  onceIdle(callback: () => void): () => void {
    return this.#idle.once(callback);
  }

  /** Something was received on this connection. */
  received(): void {
    this.#flushClock.received();
  }

  /** Hands over what waits, as far as the socket takes it. @returns Whether anything was handed over. */
  flush(): boolean {
    const wire = this.#wire;
    const flow = this.#flow;
    if (!wire || !flow || this.#isFlushing) return false;
    const handed = this.#alone(wire, () => {
      this.#volatile.pour(wire, this.#options.limits().highWaterBytes);
      return pour(this.#backlog, {
        wire,
        flow,
        limits: this.#options.limits(),
        later: () => {
          this.#flushClock.defer(0);
        },
      });
    });
    this.#emptied();
    return handed > 0;
  }

  /** Accepts messages again. */
  open(): void {
    this.#gate.open();
  }

  /** Refuses what comes from now on. What waits already may still leave. */
  refuse(code: ErrorCode, cause?: unknown): void {
    this.#gate.close(code, cause);
  }

  /** Refuses what comes, and drops what waits, each with an error of its own. */
  close(code: ErrorCode, cause?: unknown): void {
    this.refuse(code, cause);
    this.#backlog.clear(code, cause);
    this.#volatile.drop();
    this.#flushClock.cancel();
  }

  /** Drops the waiting messages that `doomed` picks, with `PURGED`. @returns How many. */
  purge(doomed: (message: WaitingMessage) => boolean): number {
    const picked = [...this.#backlog].filter((message) => doomed(shown(message)));
    return picked.filter((message) => this.#backlog.withdraw(message, 'PURGED')).length;
  }

  /** The messages that wait, in the order of lanes. */
  inspect(): WaitingMessage[] {
    return [...this.#backlog].map(shown);
  }

  get counts(): OutboxCounts {
    return this.#fates.counts(this.load);
  }

  get load(): OutboxLoad {
    const { size, bytes, oldestAt } = this.#backlog;
    return { waiting: size + this.#handed, waitingBytes: bytes, oldestAt };
  }

  // how many were handed over and have no fate yet; those of channels count there
  get #handed(): number {
    const shared = this.#options.kept?.();
    const kept = (shared ?? this.ledger)
      .unacknowledged()
      .filter(({ isGreeting, channel }) => !isGreeting && (shared !== undefined || channel === undefined));
    return kept.length + (this.#lastWire?.size ?? 0) + this.#volatile.size;
  }

  // a critical message does not wait for the turn's end, and takes none but its like along
  #rush(): void {
    const wire = this.#wire;
    const flow = this.#flow;
    if (!wire?.isOpen || !flow || this.#isFlushing || this.#isOnTrial) return;
    const { highWaterBytes } = this.#options.limits();
    if (wire.bufferedBytes >= highWaterBytes || !wire.hasRoom) return;
    // a message that goes back because the socket died of it must not be taken for the same socket again
    this.#alone(wire, () => wire.write(() => this.#backlog.take('critical')));
    if (wire.bufferedBytes >= highWaterBytes) flow.congested();
  }

  // a flush never runs inside another
  #alone<Value>(wire: Wire, flush: () => Value): Value {
    this.#isFlushing = true;
    this.#postmark.turned();
    this.#slab.rest();
    const monitor = this.#options.monitor?.();
    const { messages } = this.#taken;
    monitor?.sending();
    try {
      return flush();
    } finally {
      this.#isFlushing = false;
      monitor?.sent(this.#taken.messages - messages);
      this.#backlog.admit();
      wire.look();
    }
  }

  // a drain is over when nothing waits, here or for the peer's answer
  #emptied(): void {
    if (this.#backlog.size === 0 && this.#wire?.isSettled !== false) this.#flow?.emptied?.();
  }

  #pushVolatile(message: OutboundMessage, { signal }: SendOptions): OutboundMessage {
    if (!this.#wire?.isOpen || !this.#flow) return this.#fates.refused(message, this.#fates.error('VOLATILE_DROPPED'));
    this.#volatile.push(message);
    cancelOnAbort(message, signal, this.#withdraw);
    this.#flushClock.request();
    return message;
  }

  readonly #makeWay = (): boolean => {
    this.flush();
    return this.#flow !== undefined && this.#wire?.isOpen === true && this.#wire.hasRoom;
  };

  #request(): void {
    if (this.#wire && this.#flow && this.#backlog.size > 0) this.#flushClock.request();
  }

  #messageOf(encoded: EncodedMessage, options: SendOptions, meta?: MessageOrigin['meta']): OutboundMessage {
    return new OutboundMessage(encoded, options, this.#postmark.next(options, Boolean(this.#wire && this.#flow), meta));
  }

  readonly #withdraw = (message: OutboundMessage, code: ErrorCode, cause?: unknown): boolean =>
    message.isVolatile ? this.#volatile.withdraw(message, code, cause) : this.#backlog.withdraw(message, code, cause);

  // a socket died with it: it goes to the next, if the peer would know it again. @returns Whether it does
  #takeBack(message: OutboundMessage): boolean {
    // a volatile message is not worth it, and one that was answered has done its work
    const isRepeatable = !message.isVolatile && !message.isAnswered && (message.isKeyed || this.#options.resendSafe());
    if (!isRepeatable || !this.#options.queueing() || this.#gate.isClosed) return false;
    this.#backlog.restore(message);
    return true;
  }
}

/** The outbox machine with what it works on: a flow lasts as long as the state that allows it. */
export const outboxLogic = outboxMachine.provide({
  actors: {
    watch: fromCallback<EventObject, OutboxInput>((place) =>
      outboxAt(place).watchOverflow(telling(place, 'overflowed')),
    ),
    gauge: fromCallback<EventObject, OutboxInput>((place) => outboxAt(place).watchRelief(telling(place, 'relieved'))),
    flow: fromCallback<EventObject, OutboxInput>((place) =>
      outboxAt(place).startFlow({ congested: telling(place, 'congested') }),
    ),
    outflow: fromCallback<EventObject, OutboxInput>((place) =>
      outboxAt(place).startFlow({ congested: telling(place, 'congested'), emptied: telling(place, 'emptied') }),
    ),
  },
});

interface Place {
  system: object;
  input: OutboxInput;
  sendBack: (event: OutboxEvent) => void;
}

function outboxAt({ system, input }: Place): Outbox {
  return worldOf<{ outbox: Outbox }>(system).portsOf(input.connectionId).outbox;
}

const telling =
  ({ sendBack }: Place, type: OutboxEvent['type']) =>
  (): void => {
    sendBack({ type });
  };
