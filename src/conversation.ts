import type { ConnectionEvent, SessionLoss, WireName } from '../machines/facts.ts';
import { tameText } from './core/redact.ts';
import { failure, type Failure } from './core/recovery.ts';
import { refusesWire } from './core/recovery-table.ts';
import { ClientSession } from './core/session.ts';
import { MessageError, type ErrorDetails } from './errors.ts';
import type { Link } from './link.ts';
import { OutboundMessage } from './message.ts';
import { Negotiation } from './negotiation.ts';
import type { Outbox } from './outbox.ts';
import { Pings, type Answered } from './pings.ts';
import type { Pool } from './pool.ts';
import { CloseCode, WireClose } from './protocol/close-codes.ts';
import type { EncodedMessage } from './protocol/codec.ts';
import { loadCompression } from './protocol/compressed-frames.ts';
import type { Compression } from './protocol/compression.ts';
import type { ServerFrame, WireMeta } from './protocol/frames.ts';
import type { Payload } from './protocol/profile.ts';
import { ProtocolViolation } from './protocol/violation.ts';
import { Reception, type Notice } from './reception.ts';
import { SessionWire } from './session-wire.ts';
import type { WireReports } from './wire.ts';
import type { WireSettings } from './settings.ts';
import { monotonicNow, type Clock } from './transport/clock.ts';
import type { FrameData, Transport, TransportEnd } from './transport/transport.ts';
import { Vigil, type Expectation, type VigilOptions } from './silence.ts';
import { failureOfViolation } from './verdicts.ts';
import { Warning } from './warning.ts';

type Frame<Type extends ServerFrame['t']> = Extract<ServerFrame, { t: Type }>;
type Tell = (event: ConnectionEvent) => void;

export interface ConversationOptions {
  clock: Clock;
  settings: () => WireSettings;
  outbox: Outbox;
  /** Gives a name that was never given before. */
  freshNonce: () => string;
  /** The channels that share the session, if any may. */
  pool: Pool | undefined;
  /** Takes a message. Never throws. */
  deliver: (payload: Payload, meta: WireMeta | undefined) => void;
  /** The session is over: replies to what was asked in it will not come. */
  sessionLost: () => void;
  /** The server says something that is no message. */
  noticed: (notice: Notice) => void;
  /** A round trip was measured, in ms on this side's clock. */
  measured: (rttMs: number) => void;
  /** What is known of the round trips of the present socket; `null` before the first. */
  roundTrips: () => Expectation | null;
  /** The server owes an acknowledgement for too long, and is silent. */
  unanswered: VigilOptions['unanswered'];
  isWatched: VigilOptions['isWatched'];
  /** The server broke the protocol. */
  violated: (violation: ProtocolViolation) => void;
  /** What every error carries. */
  context: Pick<ErrorDetails, 'connectionId' | 'serviceType'>;
}

export interface NegotiatingOptions {
  /** The token to introduce this side with. */
  auth: string | undefined;
  /** Whether there is a form of ping for the link, should it speak plain. */
  canPing: boolean;
  /** The session has another socket: that this server speaks plain does not end it. @default false */
  isSuccessor?: boolean;
  tell: Tell;
}

/** What one socket of a session is read and written by. */
interface Exchange {
  wire: SessionWire;
  reception: Reception;
  isResumed: boolean;
}

/** A socket that is welcomed. */
interface Welcoming {
  transport: Transport;
  compression: Compression | null;
  warning: Warning;
}

/** One connection's part in `holdfast.v1`, over all its sockets. */
export class Conversation {
  readonly #options: ConversationOptions;
  readonly #session: ClientSession<OutboundMessage>;
  // from the welcome to the loss of its socket
  #exchange: Exchange | undefined;
  // messages that the server refused, and has not acknowledged yet
  readonly #refusals = new Map<OutboundMessage, MessageError>();
  // what the server said of trouble on the present socket
  #warning: Warning | undefined;
  readonly #pings = new Pings();
  /** Whether the server is silent while it owes something. */
  readonly vigil: Vigil;
  // a newer socket has said hello, while there is one in use
  #isMoving = false;
  // what is to come first in a session has been said: one may go on that was lost before
  #isGreeted = false;
  // the goodbye is said: the session ends with its socket
  #isLeaving = false;
  // hellos without a welcome so far: any of them may move the session to its socket, however late it comes, and once
  #hellos = 0;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#session = new ClientSession(options.outbox.ledger, options.freshNonce);
    this.vigil = new Vigil(options);
  }

  readonly #reports: WireReports = {
    sent: (message) => this.#outboxOf(message)?.reports.sent(message),
    refused: (message, code, details) => this.#outboxOf(message)?.reports.refused(message, code, details),
    orphaned: (message) => this.#outboxOf(message)?.reports.orphaned(message),
  };

  /** Whether there is a session that may be resumed. */
  get isResumable(): boolean {
    return this.#session.isResumable;
  }

  /** Whether there is no use in asking for it: its server takes no handshake of its wire any more, and has forgotten it, as it said that it would. */
  get isForsaken(): boolean {
    return this.#session.isForsaken(this.#now());
  }

  /** What messages leave by; `undefined` unless the present socket has been welcomed. */
  get wire(): SessionWire | undefined {
    return this.#exchange?.wire;
  }

  /** Whether the session of the present socket goes on from an earlier one. */
  get isResumed(): boolean {
    return this.#exchange?.isResumed === true;
  }

  /** Whether it does, and has had its greeting then. */
  get hasGreeted(): boolean {
    return this.#isGreeted && this.isResumed;
  }

  /** Whether a newer socket is asking for the session: then the server closes the present one. */
  get isMoving(): boolean {
    return this.#isMoving;
  }

  /** Finds out which wire the server speaks, and opens or resumes the session. @returns What is left to do with it. */
  negotiate(
    link: Link,
    transport: Transport,
    { auth, canPing, isSuccessor = false, tell }: NegotiatingOptions,
  ): Negotiation {
    const warning = new Warning(() => this.#now());
    if (!isSuccessor) this.#warning = warning;
    const { choice, compression, limits } = this.#options.settings();
    const negotiation = new Negotiation(link, transport, {
      introduction: () => ({ nonce: this.#session.nonce, resume: this.#session.resumption, auth, limits }),
      loadCompression: compression ? loadCompression : null,
      keepsWindow: compression === 'window',
      reports: {
        proven: () => {
          tell({ type: 'wire.proven' });
        },
        introducing: () => {
          if (!isSuccessor) return;
          this.#isMoving = true;
          this.#exchange?.wire.hold(true);
        },
        introduced: () => {
          this.#hellos += 1;
          this.#session.asked();
          this.vigil.introduced();
        },
        plain: () => {
          // a server that must speak it may do so again at the next attempt
          const lost = choice === 'required' || isSuccessor ? null : this.abandon('plain');
          tell({ type: 'wire.plain', canPing, lost });
        },
        welcomed: (welcome, agreed) => {
          this.#hellos -= 1;
          this.#welcomed(welcome, { transport, compression: agreed, warning, tell });
        },
        violated: (violation) => {
          transport.close(violation.closeCode, violation.message);
          tell({ type: 'negotiation.failed', failure: failureOfViolation(violation) });
        },
        warned: (error) => {
          warning.heard(error);
        },
      },
    });
    return negotiation;
  }

  /** No newer socket will have the session: it goes on where it is. */
  stayed(): void {
    this.#isMoving = false;
    this.#exchange?.wire.hold(false);
  }

  /** Sends what is to come first in a new session. */
  greet(messages: readonly EncodedMessage[]): void {
    this.#isGreeted = true;
    const greetings = messages.map((encoded, number) => OutboundMessage.greeting(encoded, number));
    this.#exchange?.wire.write(() => greetings.shift());
  }

  /** A frame came. */
  receive(data: FrameData): void {
    this.#exchange?.reception.receive(data);
    this.vigil.heard();
  }

  /** Gives the server a fresh token. */
  renew(token: string): void {
    this.#exchange?.wire.control({ t: 'auth', tok: token });
  }

  /** Asks the server for a sign of life, and measures how long it takes. `answered`: hears of this very one. */
  ping(answered?: Answered): void {
    const ts = this.#now();
    const a = this.#exchange?.wire.takeAck() ?? 0;
    this.#exchange?.wire.control({ t: 'ping', i: this.#pings.ask(ts, answered), ts, ...(a > 0 && { a }) });
  }

  /** Ends the session on purpose: nobody is to keep it. */
  bye(): void {
    if (!this.#exchange) return;
    const a = this.#exchange.wire.takeAck();
    if (a > 0) this.#exchange.wire.control({ t: 'ack', a });
    this.#exchange.wire.control({ t: 'bye', keep: false });
    this.#isLeaving = true;
  }

  /** A socket ended, or a handshake was refused. */
  ended({ code, status, wire }: Pick<TransportEnd, 'code' | 'status'> & { wire: WireName }): void {
    if (code === WireClose.sessionLost) this.#session.lose('lost');
    if (wire !== 'plain' && refusesWire(status)) this.#session.refused();
  }

  /** The socket is gone; the session is not, unless this side ended it. */
  lost(): void {
    this.#session.left(this.#now());
    this.#exchange = undefined;
    this.#warning = undefined;
    this.#isMoving = false;
    this.#pings.clear();
    this.vigil.lost();
    if (!this.#isLeaving) return;
    this.end();
    this.#options.sessionLost();
  }

  /** The next socket speaks another wire: a session that there was is over. @returns What is to be told of that. */
  abandon(why: string): SessionLoss | null {
    if (!this.#session.isOwed) return null;
    const lost = this.#lossOf(why, this.#session.end());
    this.#options.sessionLost();
    return lost;
  }

  /** The connection has ended, and its session with it. */
  end(): void {
    this.#exchange = undefined;
    this.#isLeaving = false;
    this.#forsake(this.#session.end());
    this.#options.pool?.lost('ended');
  }

  /** Adds to a socket's failure what the server said before: why, and when to come back. */
  explained(given: Failure): Failure {
    // who took the session from it may be a hello of this side that has not been answered yet, or it was given up before
    const isReplaced = given.closure?.code === WireClose.replaced;
    const isByUs = isReplaced && (this.#hellos > 0 || !this.isResumable);
    if (isReplaced) this.#hellos = Math.max(0, this.#hellos - 1);
    const failed: Failure = isByUs ? { ...given, strategy: 'reconnect' } : given;
    return this.#warning?.explained(failed) ?? failed;
  }

  #welcomed(welcome: Frame<'welcome'>, { tell, ...socket }: Welcoming & { tell: Tell }): void {
    const outcome = this.#session.welcomed(welcome);
    if (!outcome) {
      const violation = new ProtocolViolation('a welcome cannot be true');
      socket.transport.close(violation.closeCode, violation.message);
      tell({ type: 'negotiation.failed', failure: failureOfViolation(violation) });
      return;
    }
    let lost: SessionLoss | null = null;
    if (outcome.kind === 'opened') this.#isGreeted = false;
    if (outcome.kind === 'resumed') this.#acknowledged(outcome.acknowledged);
    else if (outcome.lost !== null) lost = this.#lossOf(outcome.lost, outcome.inDoubt);
    const exchange = this.#exchangeOn(socket, welcome);
    if (!exchange.wire.takesAll) return this.#giveUp(exchange.wire, socket.transport, tell);
    this.#exchange = exchange;
    this.#warning = socket.warning;
    this.#isMoving = false;
    if (lost) this.#options.sessionLost();
    const { iv: intervalMs, to: timeoutMs } = welcome.ping;
    tell({ type: 'session.welcomed', isResumed: welcome.resumed, lost, ping: { intervalMs, timeoutMs } });
  }

  // what has a position cannot be left out, and the server would close for it: it ends the session here, and the next attempt begins another
  #giveUp(wire: SessionWire, transport: Transport, tell: Tell): void {
    wire.control({ t: 'bye', keep: false });
    transport.close(CloseCode.normal, 'limits');
    this.#session.lose('limits');
    const why = 'the session was lost: it has a message that is larger than the server takes';
    tell({ type: 'negotiation.failed', failure: { ...failure('CONNECTION_LOST', why), strategy: 'new_session' } });
  }

  #exchangeOn({ transport, compression, warning }: Welcoming, welcome: Frame<'welcome'>): Exchange {
    const { clock, settings, pool, deliver, noticed, violated } = this.#options;
    const session = this.#session;
    const terms = { limits: welcome.lim, own: settings().limits, compression };
    const wire = new SessionWire(transport, {
      clock,
      session,
      terms,
      reports: this.#reports,
      isShared: () => pool !== undefined && pool.size > 0,
      isHeldBack: (message) => pool?.holdsBack(message) === true,
      asked: this.vigil.asked,
    });
    this.vigil.begin(() => wire.owedBytes);
    const reception = new Reception({
      session,
      wire,
      terms,
      deliver: (payload, meta) => {
        if (meta?.c !== undefined && pool) pool.deliver(meta.c, payload, meta);
        else deliver(payload, meta);
      },
      acknowledged: (messages) => {
        this.#acknowledged(messages);
      },
      refused: (message, { c, m, temp, out }) => {
        const outcome = out === 'rejected' ? 'rejected' : 'unknown';
        const details = { ...this.#options.context, outcome, retryable: temp } as const;
        this.#refusals.set(
          message,
          new MessageError('MESSAGE_REJECTED', { ...details, message: `${c}: ${tameText(m)}` }),
        );
      },
      ponged: ({ i, now }) => {
        const rttMs = this.#pings.answered(i, this.#now(), now);
        if (rttMs === null) return;
        this.vigil.answered();
        this.#options.measured(rttMs);
      },
      noticed: (notice) => {
        if (notice.t === 'err') warning.heard(notice);
        else if (notice.t === 'flow' || notice.t === 'shut') pool?.noticed(notice);
        else noticed(notice);
      },
      now: () => this.#now(),
      violated,
    });
    return { wire, reception, isResumed: welcome.resumed };
  }

  #lossOf(why: string, messages: readonly OutboundMessage[]): SessionLoss {
    return { why, inDoubt: this.#forsake(messages) + (this.#options.pool?.lost(why) ?? 0) };
  }

  #acknowledged(messages: readonly OutboundMessage[]): void {
    const { outbox, pool } = this.#options;
    if (this.#refusals.size === 0 && !pool) return outbox.acknowledged(messages);
    const accepted = messages.filter((message) => !this.#refuse(message));
    outbox.acknowledged(accepted.filter(({ channel }) => channel === undefined));
    for (const message of accepted) if (message.channel !== undefined) pool?.acknowledged(message);
    pool?.relieve();
  }

  // what the server refused before is not in doubt; and is told when the others wait again, if they do
  #forsake(messages: readonly OutboundMessage[]): number {
    const refused = messages.filter((message) => this.#refusals.has(message));
    const own = messages.filter((message) => !this.#refusals.has(message) && message.channel === undefined);
    const unknown = this.#options.outbox.forsake(own);
    for (const message of refused) this.#refuse(message);
    return unknown;
  }

  // the fate of a channel's message is its connection's to tell
  #outboxOf(message: OutboundMessage): Outbox | undefined {
    return message.channel === undefined ? this.#options.outbox : this.#options.pool?.outboxOf(message);
  }

  #refuse(message: OutboundMessage): boolean {
    const error = this.#refusals.get(message);
    if (!error) return false;
    this.#refusals.delete(message);
    this.#outboxOf(message)?.rejected(message, error);
    return true;
  }

  #now(): number {
    return monotonicNow(this.#options.clock);
  }
}
