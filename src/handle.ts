import type { ConnectionEmitted } from '../machines/facts.ts';
import { announce } from './announcements.ts';
import { failure, ownClosure } from './core/recovery.ts';
import { ConnectionError, FaultError, HoldfastError, type ErrorCode } from './errors.ts';
import type { EventSource } from './events.ts';
import { attemptOf, endError, errorOf, giveUpError } from './failures.ts';
import type { ConnectionHost } from './host.ts';
import { quiet } from './core/isolation.ts';
import { check } from './core/rules.ts';
import type { HealthInfo } from './health-info.ts';
import { LastFailure } from './last-failure.ts';
import { Openings, type OpeningOptions } from './opening.ts';
import type { DisconnectOptions } from './options.ts';
import type { Ports } from './ports.ts';
import { drained, type DrainOptions } from './draining.ts';
import type { RequestHandler } from './answers.ts';
import type { MessageListener, MessageMeta } from './inbox.ts';
import { Mailbox } from './mailbox.ts';
import type { WaitingMessage } from './message.ts';
import type { Receipt, SendOptions } from './receipt.ts';
import type { RequestOptions } from './requests.ts';
import {
  disconnectRule,
  iterationRule,
  openingRule,
  purgeRule,
  rejected,
  requestRule,
  sendRule,
  subscribingRule,
} from './schema.ts';
import { FIRST, restorationOf } from './restoration.ts';
import { placeOf, statusOf, type ConnectionSnapshot, type ConnectionStatus, type Place } from './status.ts';
import { followTurns, type ConnectionActor } from './group.ts';
import type { InboundData } from './transport/transport.ts';

/**
 * One connection, as an object: the same actor that the service's methods reach by id. It stays the same over every
 * reconnection, and from `closed` and `failed` it can be connected again.
 */
export class Connection<In = InboundData, Out = unknown> {
  /** What the service's methods call it. */
  readonly id: string;
  readonly serviceType: string;
  readonly #host: ConnectionHost;
  readonly #ports: Ports;
  readonly #openings: Openings;
  #actor: ConnectionActor | undefined;
  // of an actor that the supervisor makes when its turn is over
  readonly #mailbox = new Mailbox();
  #endings: (() => void)[] = [];
  // where it stands, as far as has been announced
  #place: Place = { state: 'idle', detail: 'idle' };
  #since: number;
  #retryAt: number | null = null;
  readonly #last = new LastFailure();
  #deathCause: unknown;
  // what further messages are refused with: the connection's own end, or the whole service's
  #endCode: ErrorCode = 'CONNECTION_ENDED';

  /** Made by a service only. @internal */
  constructor(source: EventSource, ports: Ports, host: ConnectionHost) {
    this.id = source.connectionId;
    this.serviceType = source.serviceType;
    this.#host = host;
    this.#ports = ports;
    this.#openings = new Openings(source, host.clock, () => this.#last.failure && this.#last.error);
    this.#since = host.clock.now();
  }

  /** What is known of it now. */
  get status(): ConnectionStatus {
    const snapshot = this.#actor?.getSnapshot();
    // asked for in the middle of a turn, the actor is further than what has been announced
    const place = snapshot ? placeOf(snapshot) : this.#place;
    return statusOf(snapshot, this.#source, {
      place,
      since: place.state === this.#place.state ? this.#since : this.#host.clock.now(),
      retryAt: place.state === 'backoff' ? this.#retryAt : null,
      rttMs: this.#ports.rttMs,
      lastError: this.#last.error,
      messages: { ...this.#ports.outbox.counts, received: this.#ports.inbox.received },
    });
  }

  /** How well it is, as measured; `null` while health is not monitored. */
  get health(): HealthInfo | null {
    return this.#host.monitor()?.info() ?? null;
  }

  /**
   * Opens it, from whatever state it is in; in backoff, without waiting any longer. Resolves when it is open.
   *
   * @throws {HoldfastError} Rejects with why it ended instead: what failed, `CLOSED_LOCALLY`, `CONNECT_ABORTED`,
   *   `CONNECT_DEADLINE` (with the last failure as its `cause`), `SERVICE_DESTROYED`; or with `INVALID_OPTIONS`, or `UNKNOWN_CONNECTION` once it is forgotten.
   */
  connect(options: Partial<OpeningOptions> = {}): Promise<void> {
    return quiet(this.#connect(options));
  }

  /**
   * Gives it a message: without a profile text and bytes go as they are, everything else as JSON. While the connection is not
   * open the message waits. Never throws: what becomes of the message is told by the receipt.
   */
  send(message: Out, options?: SendOptions): Receipt {
    const { outbox } = this.#ports;
    const error = options && rejected(sendRule, options, this.#source);
    return error ? outbox.refused(error) : outbox.push(message, options);
  }

  /**
   * Sends a message and resolves with its reply, which no subscriber sees. On a plain wire the profile says which message that is.
   *
   * @throws {MessageError} Rejects with what `send` can fail with, `REQUEST_REFUSED`, `NO_CORRELATION`, `REQUEST_TIMEOUT`, `REQUEST_ABORTED` or
   *   `REPLY_LOST`; its `outcome` says whether the peer may have acted on the request. Only a request with an idempotency key
   *   is ever sent again.
   */
  request(message: Out, options?: RequestOptions): Promise<In> {
    const error = options === undefined ? undefined : rejected(requestRule, options, this.#source);
    return error ? quiet(Promise.reject(error)) : (this.#ports.requests.ask(message, options) as Promise<In>);
  }

  /**
   * Holds messages back, over reconnections too, until {@link Connection.resume} or a close: that lets them leave first. What is
   * received goes on arriving.
   *
   * @throws {HoldfastError} `SERVICE_DESTROYED`
   */
  pause(): void {
    (this.#live() ?? this.#mailbox).send({ type: 'pause' });
  }

  /** Lets messages leave again. @throws {HoldfastError} `SERVICE_DESTROYED` */
  resume(): void {
    (this.#live() ?? this.#mailbox).send({ type: 'resume' });
  }

  /** The messages that wait, strongest lane first; without their payloads. A copy. */
  inspectQueue(): WaitingMessage[] {
    return this.#ports.outbox.inspect();
  }

  /**
   * Drops the waiting messages that `doomed` picks, or all of them; each is told `PURGED`.
   *
   * @returns How many.
   * @throws {ConfigurationError} `INVALID_OPTIONS` for something that is no function.
   */
  purgeQueue(doomed: (message: WaitingMessage) => boolean = () => true): number {
    check(purgeRule, { doomed });
    return this.#ports.outbox.purge(doomed);
  }

  /**
   * Resolves once every message has its fate: none is left in the queue or in the socket's buffer.
   *
   * @throws {ConnectionError} Rejects with `DRAIN_ABORTED` or `DRAIN_DEADLINE`; with `INVALID_OPTIONS` for bad options.
   */
  drainQueue(options: DrainOptions = {}): Promise<void> {
    return quiet(drained(this.#ports.outbox, options, { clock: this.#host.clock, source: this.#source }));
  }

  /**
   * Calls the listener with each message, as it arrives, and with what the peer sent beside it.
   *
   * @returns Ends the subscription.
   * @throws {ConfigurationError} `INVALID_OPTIONS` for a listener that is no function.
   */
  subscribe(listener: (message: In, meta: MessageMeta | undefined) => unknown): () => void {
    check(subscribingRule, { listener });
    return this.#ports.inbox.subscribe(listener as MessageListener);
  }

  /**
   * Answers the requests of the peer, which only `holdfast.v1` has: what the handler returns, or its promise gives, is the reply; what
   * it throws is told to the peer as a refusal, and reported. One at a time; without any, requests are refused with `NO_HANDLER`.
   *
   * @returns Ends that.
   * @throws {ConfigurationError} `INVALID_OPTIONS` for a handler that is no function.
   */
  onRequest(handler: (message: In) => Out | Promise<Out>): () => void {
    check(subscribingRule, { listener: handler });
    return this.#ports.answers.use(handler as RequestHandler);
  }

  /**
   * The messages from now on, over every reconnection. Ends when the connection is closed, and throws when it fails. Up to
   * `maxBuffered` unread messages (10 000 by default) are kept; past that it throws `ITERATION_OVERFLOW`.
   *
   * @throws {ConfigurationError} `INVALID_OPTIONS` for a bound that is no whole number of at least 0.
   */
  messages(options: { maxBuffered?: number } = {}): AsyncIterableIterator<In> {
    check(iterationRule, options);
    return this.#ports.inbox.iterate(options.maxBuffered ?? 10_000) as AsyncIterableIterator<In>;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<In> {
    return this.messages();
  }

  /**
   * Closes it: what was sent before leaves first, held back or not. Resolves when it is closed, within deadlines for both. Of the
   * connection that carries a pool, those who share it are closed first.
   *
   * @throws {ConfigurationError} Rejects with `INVALID_OPTIONS` for a code that cannot be sent.
   */
  close(options: DisconnectOptions = {}): Promise<void> {
    return quiet(this.#close(options));
  }

  async #connect(options: Partial<OpeningOptions>): Promise<void> {
    check(openingRule, options);
    const { signal, timeoutMs } = options;
    if (signal?.aborted) throw new ConnectionError('CONNECT_ABORTED', { ...this.#source, cause: signal.reason });
    this.#host.admit();
    const actor = this.#live() ?? this.#mailbox;
    const opened = this.#openings.wait({ signal, timeoutMs });
    actor.send({ type: 'connect' });
    this.#host.opening();
    if (this.#isUsable) this.#openings.opened();
    try {
      await opened;
    } catch (error) {
      this.#abandon(error);
      throw error;
    }
  }

  // an attempt that was given up by the only one who wanted it must not turn into a stranger's open socket
  #abandon(error: unknown): void {
    const gaveUp =
      error instanceof HoldfastError && (error.code === 'CONNECT_ABORTED' || error.code === 'CONNECT_DEADLINE');
    const neverOpened = this.#actor?.getSnapshot().context.opens === 0;
    if (gaveUp && neverOpened && this.#openings.size === 0) void this.close();
  }

  async #close(options: DisconnectOptions): Promise<void> {
    check(disconnectRule, options);
    const { code = 1000, reason = '' } = options;
    if (!this.#actor && this.#openings.size === 0) {
      this.#mailbox.clear();
      if (this.#place.state !== 'closed') this.#move({ state: 'closed', detail: 'closed' });
      return;
    }
    // closed, and nobody has asked for it again in the turn that is still going on
    if (this.#place.state === 'closed' && this.#openings.size === 0) return;
    const ended = new Promise<void>((resolve) => {
      this.#endings.push(resolve);
    });
    this.#host.closing(options);
    (this.#actor ?? this.#mailbox).send({ type: 'disconnect', code, reason });
    await ended;
  }

  #live(): ConnectionActor | undefined {
    const actor = this.#host.actor();
    if (!actor || actor === this.#actor) return actor;
    const [place, dead] = [this.#place, this.#actor?.getSnapshot()];
    this.#actor = actor;
    const wishes = { isAwaited: this.#openings.size > 0, isEnding: this.#endings.length > 0 };
    const { policy } = this.#host.settings();
    const { prepare, resume } = dead ? restorationOf(dead, { place, ...wishes, policy }) : FIRST;
    // nothing to tell of: it is still idle
    for (const event of prepare) actor.send(event);
    followTurns(actor, (snapshot, said) => {
      this.#turn(snapshot, said);
    });
    if (resume) actor.send(resume);
    this.#mailbox.deliver(actor);
    if (dead && place.state === 'closing') this.#announce({ type: 'closed', failure: failure('INTERNAL_FAULT') });
    if (dead && place.detail === 'congested') this.#announce({ type: 'relieved' });
    return actor;
  }

  /** The policy changed. @internal */
  reconfigured(): void {
    this.#actor?.send({ type: 'policy.changed', policy: this.#host.settings().policy });
  }

  /** The actor died, and nothing is left of what it held. @internal */
  died(cause: unknown): void {
    this.#deathCause = cause;
  }

  /** There is an actor for it, or another one. @internal */
  restarted(): void {
    if (this.#endCode !== 'SERVICE_DESTROYED') this.#live();
  }

  /** There is no other, nor will there be. @internal */
  buried(): void {
    // unless it was asked for again meanwhile
    if (this.#actor?.getSnapshot().status === 'active') return;
    const hadSocket = this.#hasSocket;
    const error = new FaultError('INTERNAL_FAULT', { ...this.#source, cause: this.#deathCause });
    this.#last.error = error;
    this.#actor = undefined;
    this.#move({ state: 'failed', detail: 'failed' }, error);
    if (hadSocket) this.#announce({ type: 'closed', failure: failure('INTERNAL_FAULT') });
    this.#host.emit('gaveUp', { ...this.#source, because: 'fault', error });
  }

  /** The service is about to end: what waits is handed to the socket while there still is one. @internal */
  ending(): void {
    this.#endCode = 'SERVICE_DESTROYED';
    this.#ports.outbox.flush();
  }

  /** The actor is gone for good: what waits is answered, and nothing is accepted any more. @internal */
  ended(): void {
    const hadSocket = this.#hasSocket;
    this.#actor = undefined;
    this.#ports.dispose();
    if (this.#place.state !== 'failed') this.#move({ state: 'closed', detail: 'closed' });
    if (hadSocket) this.#announce({ type: 'closed', failure: ownClosure({ code: 1000, reason: '' }) });
    this.#end(this.#closeError);
  }

  get #source(): EventSource {
    return { connectionId: this.id, serviceType: this.serviceType };
  }

  get #hasSocket(): boolean {
    return this.#isUsable || this.#place.state === 'closing';
  }

  get #isUsable(): boolean {
    return this.#place.state === 'open' || this.#place.state === 'degraded';
  }

  // after each turn of the actor: first what holds from now on, then who is told, so that a listener may do anything
  #turn(snapshot: ConnectionSnapshot, said: readonly ConnectionEmitted[]): void {
    this.#last.note(snapshot.context, (failed) => {
      const cause = failed.code === 'INTERNAL_FAULT' ? this.#deathCause : this.#ports.cause;
      return errorOf(failed, { ...this.#source, ...attemptOf(snapshot), cause });
    });
    const gaveUp = said.find((emitted) => emitted.type === 'gave.up');
    for (const emitted of said)
      if (emitted.type === 'retrying')
        this.#retryAt = emitted.delayMs === null ? null : this.#host.clock.now() + emitted.delayMs;
    const { maxRetries } = this.#host.settings().policy;
    const giveUp = gaveUp && giveUpError(gaveUp.because, this.#last.error ?? this.#closeError, maxRetries);
    this.#move(placeOf(snapshot), giveUp);
    for (const emitted of said) this.#announce(emitted, giveUp);
  }

  // `giveUp` is why the connection failed, if it did
  #move(place: Place, giveUp?: HoldfastError): void {
    const previous = this.#place.state;
    const current = place.state;
    this.#place = place;
    this.#admit(place);
    if (current === previous) return;
    this.#since = this.#host.clock.now();
    if (this.#isUsable) this.#openings.opened();
    if (current === 'closed' || current === 'failed') this.#end(giveUp ?? this.#closeError);
    // connected again while closing: the old socket is gone all the same
    if (previous === 'closing') this.#conclude();
    this.#host.changed();
    this.#host.emit('status', { ...this.#source, previous, current });
  }

  // what may be given to the outbox, and what may stay in it
  #admit({ state, detail }: Place): void {
    const { outbox } = this.#ports;
    if (detail === 'draining') outbox.refuse(this.#endCode);
    else if (state === 'closing') outbox.close(this.#endCode);
    else if (state !== 'closed' && state !== 'failed') outbox.open();
  }

  #end(error: HoldfastError): void {
    this.#ports.outbox.close(this.#endCode, error);
    this.#ports.end(this.#last.failure);
    this.#ports.inbox.end(this.#place.state === 'failed' ? error : null);
    this.#openings.ended(error);
    this.#conclude();
  }

  #conclude(): void {
    for (const ended of this.#endings.splice(0)) ended();
  }

  #announce(emitted: ConnectionEmitted, giveUp?: HoldfastError): void {
    announce(emitted, {
      source: this.#source,
      emit: this.#host.emit,
      error: this.#last.error,
      giveUp,
      inDoubt: this.#ports.inDoubt,
      maxRetries: this.#host.settings().policy.maxRetries,
      overflow: this.#host.settings().queue.overflow,
      monitor: this.#host.monitor(),
    });
  }

  get #closeError(): HoldfastError {
    return endError(this.#endCode, this.#source);
  }
}
