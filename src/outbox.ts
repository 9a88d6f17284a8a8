import { fromCallback, type EventObject } from 'xstate';

import { outboxMachine, type OutboxEvent, type OutboxInput } from '../machines/outbox.ts';
import { Backlog, type OutboxLimits } from './backlog.ts';
import type { ErrorCode, ErrorDetails, MessageError } from './errors.ts';
import { Fates, type FatesOptions, type OutboxCounts } from './fates.ts';
import { FlushClock } from './flush-clock.ts';
import { InFlight } from './in-flight.ts';
import { OutboundMessage, shown, type WaitingMessage } from './message.ts';
import { pour, type FlowReports } from './pouring.ts';
import type { EncodedMessage } from './protocol/codec.ts';
import type { Receipt, SendOptions } from './receipt.ts';
import type { Clock } from './transport/clock.ts';
import type { Transport } from './transport/transport.ts';
import { worldOf } from './world.ts';

export interface OutboxOptions extends Omit<FatesOptions, 'settled'> {
  clock: Clock;
  limits: () => OutboxLimits;
  /** Whether a message may wait for a connection at all. */
  queueing: () => boolean;
  /** @throws {MessageError} When the message cannot travel. */
  encode: (message: unknown) => EncodedMessage;
  /** Whether the peer takes any message twice without harm. */
  resendSafe: () => boolean;
}

const NOTHING: EncodedMessage = { data: '', bytes: 0 };

/**
 * The way out: messages wait until a transport is attached and the chart lets them flow; then they leave at the end of each
 * turn. Every message given to it has exactly one fate, which its receipt and the counters tell.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #backlog: Backlog;
  readonly #fates: Fates;
  readonly #flushClock: FlushClock;
  readonly #inFlight: InFlight;
  #transport: Transport | undefined;
  // present while the chart lets messages leave
  #flow: FlowReports | undefined;
  #onOverflow: (() => void) | undefined;
  // whoever waits for the moment in which nothing waits here
  #onIdle = new Set<() => void>();
  // a custom socket may run the application's code inside send()
  #isFlushing = false;
  // the first turn with a transport is not over
  #isOnTrial = false;
  // why nothing is accepted at present; undefined while messages may wait
  #closed: { code: ErrorCode; cause: unknown } | undefined;
  #nextNumber = 1;
  // sockets that have died so far
  #losses = 0;

  constructor(options: OutboxOptions) {
    const { clock, limits } = options;
    this.#options = options;
    this.#fates = new Fates({
      ...options,
      settled: () => {
        this.#idle();
      },
    });
    this.#backlog = new Backlog({
      clock,
      limits,
      dropped: (message, code, cause) => {
        this.#fates.dropped(message, code, cause);
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
    this.#inFlight = new InFlight({
      clock,
      sent: (message) => {
        this.#fates.sent(message);
      },
    });
  }

  /** Takes a message. Never throws: what is refused is told by the receipt. */
  push(payload: unknown, options: SendOptions = {}): Receipt {
    const obstacle = this.#obstacle(options);
    if (obstacle) return this.refused(obstacle);
    let message: OutboundMessage;
    try {
      message = this.#messageOf(this.#options.encode(payload), options);
    } catch (error) {
      const { code, message: text, cause } = error as MessageError;
      return this.refused(this.#fates.error(code, { message: text, cause }));
    }
    const { maxMessageBytes } = this.#options.limits();
    if (message.bytes > maxMessageBytes) {
      const text = `The message has ${message.bytes} bytes; ${maxMessageBytes} are allowed.`;
      return this.#fates.refused(message, this.#fates.error('MESSAGE_TOO_BIG', { message: text }));
    }
    if (!this.#backlog.place(message, this.#makeWay))
      return this.#fates.refused(message, this.#fates.error('QUEUE_FULL', this.#room()));
    this.#fates.accepted();
    this.#follow(message, options.signal);
    if (message.priority === 'critical') this.#rush();
    this.#request();
    return message;
  }

  /** The receipt of a message that was refused before it came here. */
  refused(error: MessageError): Receipt {
    return this.#fates.refused(this.#messageOf(NOTHING, {}), error);
  }

  /**
   * From now on messages can go to this transport; the first of them a turn later. A server that accepts and closes at once has
   * its close frame read by then, and what waits is not risked on it.
   */
  attach(transport: Transport): void {
    this.#transport = transport;
    this.#isOnTrial = true;
    this.#flushClock.defer(0);
  }

  /** From now on messages wait. What the socket has taken is followed until it is {@link Outbox.lost}. */
  detach(): void {
    this.#transport = undefined;
    this.#flushClock.cancel();
    // what was about to leave in this turn would wait now
    if (!this.#options.queueing()) this.#backlog.clear('NOT_OPEN');
    this.#idle();
  }

  /** The socket is gone. `wasRead`: the peer agreed to our close, and so has read everything before it. @returns How many messages it left in doubt. */
  lost({ wasRead }: { wasRead: boolean }): number {
    this.detach();
    let unknown = 0;
    this.#losses += 1;
    // from the last to the first: each goes to the head of its lane
    for (const message of this.#inFlight.takeAll().reverse()) {
      if (wasRead) this.#fates.sent(message);
      else if (this.#orphan(message)) unknown += 1;
    }
    this.#idle();
    return unknown;
  }

  /** Lets messages leave until the returned function is called. The chart decides when. */
  startFlow(reports: FlowReports): () => void {
    this.#flow = reports;
    if (this.#backlog.size === 0) reports.emptied?.();
    this.#request();
    return () => {
      if (this.#flow === reports) this.#flow = undefined;
    };
  }

  /** Calls back once the socket's buffer is at the low water mark. @returns Takes that back. */
  watchRelief(relieved: () => void): () => void {
    if (!this.#transport) return () => undefined;
    const end = this.#inFlight.onceRelieved(this.#options.limits().lowWaterBytes, relieved);
    this.#inFlight.look(this.#transport);
    return end;
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
    this.#onIdle.add(callback);
    this.#idle();
    return () => {
      this.#onIdle.delete(callback);
    };
  }

  /** Something was received on this connection. */
  received(): void {
    this.#flushClock.received();
  }

  /** Hands over what waits, as far as the socket takes it. @returns Whether anything was handed over. */
  flush(): boolean {
    const transport = this.#transport;
    const flow = this.#flow;
    if (!transport || !flow || this.#isFlushing) return false;
    const handed = this.#alone(transport, () =>
      pour(this.#backlog, {
        transport,
        flow,
        limits: this.#options.limits(),
        hand: (message) => {
          this.#hand(message, transport);
        },
        later: () => {
          this.#flushClock.defer(0);
        },
      }),
    );
    if (this.#backlog.size === 0) flow.emptied?.();
    return handed > 0;
  }

  /** Accepts messages again. */
  open(): void {
    this.#closed = undefined;
  }

  /** Refuses what comes from now on. What waits already may still leave. */
  refuse(code: ErrorCode, cause?: unknown): void {
    this.#closed = { code, cause };
  }

  /** Refuses what comes, and drops what waits, each with an error of its own. */
  close(code: ErrorCode, cause?: unknown): void {
    this.refuse(code, cause);
    this.#backlog.clear(code, cause);
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
    const { size, bytes } = this.#backlog;
    return this.#fates.counts({ waiting: size + this.#inFlight.size, waitingBytes: bytes });
  }

  #hand(message: OutboundMessage, transport: Transport): void {
    // before: whoever asks for it back meanwhile is told that it is gone
    message.moved('handed');
    const losses = this.#losses;
    try {
      transport.send(message.data);
    } catch (cause) {
      return this.#fates.dropped(message, 'SEND_FAILED', cause);
    }
    // the socket may have died of it
    if (this.#losses === losses) this.#inFlight.handed(message);
    else this.#orphan(message);
  }

  // a critical message does not wait for the turn's end, and takes none but its like along
  #rush(): void {
    const transport = this.#transport;
    const flow = this.#flow;
    if (!transport?.isOpen || !flow || this.#isFlushing || this.#isOnTrial) return;
    const { highWaterBytes } = this.#options.limits();
    if (transport.bufferedBytes >= highWaterBytes) return;
    this.#alone(transport, () => {
      // a message that goes back because the socket died of it must not be taken for the same socket again
      while (transport.isOpen) {
        const next = this.#backlog.take('critical');
        if (!next) break;
        this.#hand(next, transport);
      }
    });
    if (transport.bufferedBytes >= highWaterBytes) flow.congested();
  }

  // a flush never runs inside another
  #alone<Value>(transport: Transport, flush: () => Value): Value {
    this.#isFlushing = true;
    try {
      return flush();
    } finally {
      this.#isFlushing = false;
      this.#backlog.admit();
      this.#inFlight.look(transport);
    }
  }

  readonly #makeWay = (): boolean => {
    this.flush();
    return this.#flow !== undefined && this.#transport?.isOpen === true;
  };

  #request(): void {
    if (this.#transport && this.#flow && this.#backlog.size > 0) this.#flushClock.request();
  }

  #messageOf(encoded: EncodedMessage, options: SendOptions): OutboundMessage {
    return new OutboundMessage(encoded, options, {
      number: this.#nextNumber++,
      // the time is read only for those who are bound by it
      now: options.ttlMs === undefined ? 0 : this.#options.clock.now(),
      cancel: this.#cancel,
    });
  }

  readonly #cancel = (message: OutboundMessage): boolean => this.#backlog.withdraw(message, 'SEND_CANCELLED');

  // what stands against accepting any message now
  #obstacle({ signal }: SendOptions): MessageError | undefined {
    if (this.#closed) return this.#fates.error(this.#closed.code, { cause: this.#closed.cause });
    if (!this.#transport?.isOpen && !this.#options.queueing()) return this.#fates.error('NOT_OPEN');
    if (signal?.aborted) return this.#fates.error('SEND_ABORTED', { cause: signal.reason });
    return undefined;
  }

  #follow(message: OutboundMessage, signal: AbortSignal | undefined): void {
    if (!signal) return;
    const onAbort = (): void => {
      this.#backlog.withdraw(message, 'SEND_ABORTED', signal.reason);
    };
    signal.addEventListener('abort', onAbort);
    message.whenSettled(() => {
      signal.removeEventListener('abort', onAbort);
    });
  }

  // a socket died with it: it goes to the next, if the peer would know it again. @returns Whether it is in doubt for good
  #orphan(message: OutboundMessage): boolean {
    const isRepeatable = message.isKeyed || this.#options.resendSafe();
    if (isRepeatable && this.#options.queueing() && !this.#closed) {
      message.moved('waiting');
      this.#backlog.restore(message);
      return false;
    }
    this.#fates.lost(message);
    return true;
  }

  #idle(): void {
    if (this.#onIdle.size === 0 || this.#backlog.size + this.#inFlight.size > 0) return;
    const callbacks = this.#onIdle;
    this.#onIdle = new Set();
    for (const callback of callbacks) callback();
  }

  #room(): ErrorDetails {
    const { maxMessages, maxBytes } = this.#options.limits();
    const { size, bytes } = this.#backlog;
    return { message: `The queue is full: ${size} of ${maxMessages} messages, ${bytes} of ${maxBytes} bytes.` };
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
