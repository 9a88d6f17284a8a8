import type { Answered } from './pings.ts';
import type { CredentialsNeed, WireOffer } from '../machines/facts.ts';
import type { HealthEvent, Urgency } from '../machines/health.ts';
import type { Access, Tell } from './access.ts';
import { Answers } from './answers.ts';
import { ChannelAccess } from './channel-access.ts';
import { isolated } from './core/isolation.ts';
import type { Failure } from './core/recovery.ts';
import type { FatesOptions } from './fates.ts';
import type { DialQueue } from './dial-queue.ts';
import type { Settled } from './endpoint.ts';
import { InboundError, type MessageError } from './errors.ts';
import { greet } from './greeting.ts';
import { Inbox, type MessageListener } from './inbox.ts';
import type { Monitor } from './monitor.ts';
import { Outbox } from './outbox.ts';
import type { Pool } from './pool.ts';
import type { WireMeta } from './protocol/frames.ts';
import { decodeWith, encodeWith } from './protocol/profile.ts';
import { Requests } from './requests.ts';
import { SocketAccess, type SocketAccessOptions } from './socket-access.ts';
import type { FrameData, WireData } from './transport/transport.ts';
import { Verdicts } from './verdicts.ts';
import type { Kept } from './wire.ts';

export interface PortsOptions extends Omit<
  SocketAccessOptions,
  | 'outbox'
  | 'inbox'
  | 'pool'
  | 'sessionLost'
  | 'moved'
  | 'context'
  | 'received'
  | 'measured'
  | 'sent'
  | 'roundTrips'
  | 'unanswered'
  | 'isWatched'
> {
  /** What is measured of it; `undefined` where nothing is. */
  monitor: () => Monitor | undefined;
  /** Hears of each round trip, beside the monitor. */
  roundTrip: (rttMs: number) => void;
  /** The pool that this connection is there for. */
  carries?: Pool | undefined;
  /** The pool that it is a part of. */
  shares?: Pool | undefined;
  connectionId: string;
  serviceType: string;
  queueing: () => boolean;
  dials: DialQueue;
  /** Hears of each inbound message. */
  deliver: MessageListener;
  /** Hears of each inbound frame that is no message. */
  undecodable: (error: InboundError) => void;
  /** Hears of each message that was not sent, or may not have been. */
  undelivered: (id: string, error: MessageError) => void;
  /** Hears of the end of each message that it is told of. */
  fated: FatesOptions['fated'];
}

/** What one connection acts upon: providers, socket, outbox, inbox. Called by its actors; never throws into them. */
export class Ports {
  readonly outbox: Outbox;
  readonly inbox: Inbox;
  readonly requests: Requests;
  /** Requests of the peer. */
  readonly answers: Answers;
  readonly #options: PortsOptions;
  readonly #access: Access;
  readonly #verdicts: Verdicts;
  // what the profile threw, when that is why the last attempt failed
  #greetingCause: unknown;
  // messages that the last socket left in doubt
  #inDoubt = 0;
  #rttMs: number | null = null;
  // what a session that is shared keeps of its messages
  #kept: () => Kept | undefined = () => undefined;

  constructor(options: PortsOptions) {
    const { connectionId, serviceType, settings, queueing, clock } = options;
    const context = { connectionId, serviceType };
    this.#options = options;
    this.#verdicts = new Verdicts(settings, options.report);
    this.inbox = new Inbox({
      decode: (data) => decodeWith(settings().profile, data),
      undecodable: ({ code, data, message, cause }) => {
        options.undecodable(new InboundError(code, data, { ...context, message, cause }));
      },
      intercept: (message, meta) => this.#intercept(message, meta),
      ...{ clock, deliver: options.deliver, report: options.report },
    });
    this.outbox = new Outbox({
      clock,
      limits: () => settings().queue,
      queueing,
      encode: (message, memory) => encodeWith(settings().profile, message, memory),
      resendSafe: () => settings().profile.resendSafe ?? false,
      undelivered: options.undelivered,
      fated: options.fated,
      monitor: options.monitor,
      kept: () => this.#kept(),
      context,
    });
    this.requests = new Requests({
      clock,
      // a session that is shared has more than one asker
      prefix: options.shares ? `${options.shares.freshName()}-` : '',
      replies: () => settings().profile.replies,
      carriesIds: () => this.#access.carriesIds,
      send: (message, sendOptions, meta) => this.outbox.push(message, sendOptions, meta),
      resendSafe: () => settings().profile.resendSafe ?? false,
      context,
    });
    this.answers = new Answers({
      send: (reply, sendOptions, meta) => this.outbox.push(reply, sendOptions, meta),
      report: options.report,
    });
    this.#access = this.#accessOf(options, () => {
      this.requests.lost();
      this.answers.lost();
    });
  }

  /** What the application's code threw, when that is why the last attempt failed. */
  get cause(): unknown {
    return this.#greetingCause ?? this.#access.cause;
  }

  /** The last round trip, in ms; `null` where none was measured. */
  get rttMs(): number | null {
    return this.#rttMs;
  }

  /** How many messages the last socket left in doubt when it died. */
  get inDoubt(): number {
    return this.#inDoubt;
  }

  /** Calls back once it may dial, of which only so many may at once. @returns Gives the turn back, or the place in the queue. */
  awaitTurn(granted: () => void): () => void {
    const { dials, serviceType, settings, shares } = this.#options;
    // a channel opens no socket, and a second socket that has taken over is open already
    if (shares || this.#access.isLinked) {
      granted();
      return () => undefined;
    }
    return dials.acquire({ serviceType, priority: settings().priority }, granted);
  }

  authorize(need: CredentialsNeed, settled: Settled): () => void {
    this.#greetingCause = undefined;
    return this.#access.authorize(need, settled);
  }

  locate(settled: Settled): () => void {
    return this.#access.locate(settled);
  }

  dial(command: { generation: number; offer: WireOffer }, tell: Tell): void {
    this.#access.dial(command, tell);
  }

  negotiate(tell: Tell): () => void {
    return this.#access.negotiate(tell);
  }

  yieldToPlain(): void {
    this.#access.yieldToPlain();
  }

  succeed(tell: Tell): () => void {
    return this.#access.succeed(tell);
  }

  renew(tell: Tell): () => void {
    return this.#access.renew(tell);
  }

  probe(heard: () => void): () => void {
    return this.#access.asking.probe(heard);
  }

  /** Calls back with the round trip of a ping that is sent now. @returns Whether there is a form of ping for that. */
  ping(answered: Answered): boolean {
    return this.#access.asking.ping(answered);
  }

  /** How much longer than otherwise the answer to a probe may take, in ms, for what was sent before it. */
  get burdenMs(): number {
    return this.#access.asking.burdenMs;
  }

  /** Tells the chart of the link what is measured. @returns Ends that. */
  gauge(tell: (event: HealthEvent) => void): () => void {
    return this.#options.monitor()?.follow(tell) ?? (() => undefined);
  }

  /** An answer of the peer is overdue. */
  missed(): void {
    this.#options.monitor()?.missed();
  }

  /** A probe of the link was answered: the round trip in ms, or `null` where it cannot be told. */
  measured(rttMs: number | null): void {
    // of those who share a link, who has left it is none
    if (!this.#access.isLinked) return;
    if (rttMs !== null) this.#rttMs = rttMs;
    this.#options.monitor()?.answered(rttMs);
    if (rttMs !== null) this.#options.roundTrip(rttMs);
  }

  /** Sends what the profile says comes first, unless the peer knows it from before. @returns Abandons that. */
  greet(settled: Settled): () => void {
    const access = this.#access;
    if (access.hasGreeted) {
      settled(null);
      return () => undefined;
    }
    const { connectionId, terminalId, sessionId, params } = access.facts;
    const context = { connectionId, terminalId, sessionId, params, generation: access.generation };
    const { profile } = this.#options.settings();
    return greet(
      (messages) => {
        access.greet(messages);
      },
      { profile, context },
      ({ cause, failed }) => {
        this.#greetingCause = cause;
        this.#verdicts.decided(settled)(failed);
      },
    );
  }

  close(code: number, reason: string): void {
    try {
      this.#access.close(code, reason);
    } catch (cause) {
      // the deadline of the closing state ends it all the same
      this.#options.report(cause);
    }
  }

  /** Lets go of the socket at once. */
  hangUp(): void {
    this.detach();
    if (this.#access.isLinked) {
      this.#inDoubt = this.outbox.lost({ wasRead: this.#access.wasRead });
      // a session outlives its sockets, and so do its requests
      if (!this.#access.isSession) this.requests.lost();
    }
    this.#access.hangUp();
  }

  attach(): void {
    const joined = this.#access.join();
    if (!joined) return;
    this.#options.monitor()?.linked({ canMeasure: this.#access.asking.canMeasure });
    this.outbox.attach(joined.wire, joined);
    this.inbox.attach();
    if (!joined.isTrusted) this.requests.uncorrelated();
    this.#access.read();
  }

  detach(): void {
    this.outbox.detach();
    this.inbox.detach();
    this.#access.unread();
  }

  /** The connection has ended, and its session with it: what is not acknowledged will not be. `why`: what failed last. */
  end(why: Failure | null = null): void {
    this.#access.end(why);
    this.requests.end();
    this.answers.lost();
  }

  /** Lets go of everything. */
  dispose(): void {
    this.hangUp();
    this.inbox.clear();
    this.end();
  }

  #accessOf(options: PortsOptions, sessionLost: () => void): Access {
    const { connectionId, serviceType, carries, shares } = options;
    const { outbox, inbox } = this;
    if (shares) {
      const access = new ChannelAccess({
        pool: shares,
        service: serviceType,
        now: () => options.clock.now(),
        outbox,
        inbox,
        sessionLost,
        ...options,
      });
      this.#kept = () => access.kept;
      return access;
    }
    const moved = (): void => {
      this.attach();
    };
    const received = (data: FrameData): void => {
      outbox.received();
      options.monitor()?.received(data);
    };
    const measured = (rttMs: number | null): void => {
      this.measured(rttMs);
    };
    const context = { connectionId, serviceType };
    const own = {
      outbox,
      inbox,
      sessionLost,
      moved,
      received,
      measured,
      context,
      sent: (data: WireData) => {
        options.monitor()?.wrote(data);
        this.#access.asking.wrote(data.length);
      },
      roundTrips: () => options.monitor()?.roundTrips ?? null,
      isWatched: () => options.settings().policy.heartbeat !== null,
      unanswered: (urgency: Urgency) => {
        options.monitor()?.unanswered(urgency);
      },
    };
    return new SocketAccess({ pool: carries, ...options, ...own });
  }

  // what only the connection itself is to see
  #intercept(message: unknown, meta: WireMeta | undefined): boolean {
    if (this.answers.take(message, meta)) return true;
    const { profile } = this.#options.settings();
    // most messages are nobody's answer, and cost nothing here
    if (!profile.isPong && this.requests.size === 0) return false;
    let isOurs = false;
    isolated(
      () => {
        const isPong = profile.isPong?.(message) === true;
        if (isPong) this.#access.asking.answered();
        isOurs = isPong || this.requests.take(message, meta);
      },
      [],
      this.#options.report,
    );
    return isOurs;
  }
}
