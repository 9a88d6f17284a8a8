import { createActor, type EventObject } from 'xstate';

import { leafOf } from './machine-graph.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { DEFAULT_QUEUE, type OutboxLimits } from '../../src/backlog.ts';
import type { MessageError } from '../../src/errors.ts';
import { Outbox, outboxLogic, type OutboxOptions } from '../../src/outbox.ts';
import { PlainWire } from '../../src/plain-wire.ts';
import { encodePlain } from '../../src/protocol/codec.ts';
import type { Receipt, SendOptions } from '../../src/receipt.ts';
import type { Transport, WireData } from '../../src/transport/transport.ts';
import { bindWorld } from '../../src/world.ts';

/** A transport whose other side is the test. What it is given stays in its buffer while `holds` is set, until it drains. */
export class Line implements Transport {
  isOpen = true;
  isCompressing = false;
  readonly ping = null;
  protocol: string | undefined = '';
  /** What was handed over, in order. */
  readonly sent: WireData[] = [];
  /** How many messages each write to the network held. */
  readonly writes: number[] = [];
  /** Whether the network takes nothing at present. */
  holds = false;
  /** Called with each message, before it is taken. What it throws is thrown by `send`. */
  onSend: (data: WireData) => void = () => undefined;
  #buffered = 0;
  #batch: number | undefined;

  get bufferedBytes(): number {
    return this.#buffered;
  }

  send(data: WireData): void {
    this.onSend(data);
    this.sent.push(data);
    if (this.holds) this.#buffered += data.length;
    if (this.#batch === undefined) this.writes.push(1);
    else this.#batch += 1;
  }

  batch(write: () => void): void {
    this.#batch = 0;
    write();
    if (this.#batch > 0) this.writes.push(this.#batch);
    this.#batch = undefined;
  }

  /** The network takes so many bytes from the buffer. */
  drains(bytes = this.#buffered): void {
    this.#buffered = Math.max(0, this.#buffered - bytes);
  }

  close(): void {
    this.isOpen = false;
  }

  dispose(): void {
    this.isOpen = false;
  }
}

export interface OutboxRigOptions extends Partial<Pick<OutboxOptions, 'encode' | 'resendSafe' | 'queueing'>> {
  limits?: Partial<OutboxLimits>;
}

/** An outbox under its own chart, on a clock of the test, and a record of what it says. */
export class OutboxRig {
  readonly clock = new SimulatedClock();
  readonly outbox: Outbox;
  /** What `undelivered` heard: ids and codes. */
  readonly undelivered: [id: string, code: string][] = [];
  readonly errors: MessageError[] = [];
  /** The events of the chart. */
  readonly edges: string[] = [];
  limits: OutboxLimits;
  readonly #actor;

  constructor({ limits, ...options }: OutboxRigOptions = {}) {
    this.limits = { ...DEFAULT_QUEUE, ...limits };
    this.outbox = new Outbox({
      clock: this.clock,
      limits: () => this.limits,
      queueing: () => true,
      encode: encodePlain,
      resendSafe: () => false,
      undelivered: (id, error) => {
        this.undelivered.push([id, error.code]);
        this.errors.push(error);
      },
      fated: () => undefined,
      context: { connectionId: 'c', serviceType: 's' },
      ...options,
    });
    this.#actor = createActor(outboxLogic, {
      input: { connectionId: 'c' },
      clock: this.clock,
      inspect: ({ type, ...inspected }) => {
        if (type === '@xstate.event') this.edges.push((inspected as unknown as { event: EventObject }).event.type);
      },
    });
    const { outbox } = this;
    bindWorld(this.#actor.system, {
      signals: { subscribe: () => () => undefined },
      report: (cause) => {
        throw cause as Error;
      },
      portsOf: () => ({ outbox }),
      died: () => undefined,
      restarted: () => undefined,
      buried: () => undefined,
      escalated: () => undefined,
    });
    this.#actor.start();
  }

  /** Where the chart stands. */
  get mode(): string {
    return leafOf(this.#actor.getSnapshot());
  }

  /** A socket is linked. */
  attach(line = new Line()): Line {
    this.tell('attached');
    this.outbox.attach(new PlainWire(line, { clock: this.clock, reports: this.outbox.reports }));
    return line;
  }

  /** The same, and its first turn is over. */
  async attached(line = new Line()): Promise<Line> {
    this.attach(line);
    await this.turn();
    return line;
  }

  /** The socket is gone. @returns How many messages it left in doubt. */
  lose({ wasRead = false } = {}): number {
    this.tell('detached');
    this.outbox.detach();
    return this.outbox.lost({ wasRead });
  }

  tell(type: 'attached' | 'detached' | 'pause' | 'resume' | 'drain'): void {
    this.#actor.send({ type });
  }

  push(payload: unknown, options?: SendOptions): Receipt {
    return this.outbox.push(payload, options);
  }

  /** Ends the turn: what is due at once fires. */
  async turn(ms = 0): Promise<void> {
    await this.clock.advanceAsync(ms);
  }

  stop(): void {
    this.#actor.stop();
    this.outbox.close('SERVICE_DESTROYED');
  }
}
