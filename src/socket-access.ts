import type { CredentialsNeed, WireName, WireOffer } from '../machines/facts.ts';
import type { Access, Joined, Tell } from './access.ts';
import { Conversation, type ConversationOptions } from './conversation.ts';
import { failure, type Failure } from './core/recovery.ts';
import { Endpoint, type RequestFacts, type Settled } from './endpoint.ts';
import type { ErrorDetails } from './errors.ts';
import type { Inbox } from './inbox.ts';
import { Link } from './link.ts';
import type { Negotiation } from './negotiation.ts';
import type { Outbox } from './outbox.ts';
import { owned, PlainWire } from './plain-wire.ts';
import type { Pool } from './pool.ts';
import { Prober } from './probing.ts';
import { CloseCode, WireClose } from './protocol/close-codes.ts';
import type { EncodedMessage } from './protocol/codec.ts';
import type { Notice } from './reception.ts';
import { Renewal } from './renewal.ts';
import type { ServiceSettings } from './settings.ts';
import { offering, Succession } from './succession.ts';
import { monotonicNow, type Clock } from './transport/clock.ts';
import type { FrameData, TransportEnd, WireData } from './transport/transport.ts';
import { openWebSocket, type WebSocketConstructor } from './transport/websocket.ts';
import { constructorFailure, failureOfViolation, Verdicts } from './verdicts.ts';
import type { WireMemory } from './wire-memory.ts';

export interface SocketAccessOptions extends Pick<ConversationOptions, 'roundTrips' | 'unanswered' | 'isWatched'> {
  settings: () => ServiceSettings;
  clock: Clock;
  /** Looked up when a connection dials, so that a service can be made where there is none. */
  webSocket: () => WebSocketConstructor | undefined;
  /** What the providers are told of this connection. */
  facts: () => Omit<RequestFacts, 'attemptId'>;
  /** Gives a name that was never given before: to an attempt, and to a session. */
  freshId: () => string;
  /** Which wire worked where. */
  memory: WireMemory;
  /** The channels that share its sessions, if any may. */
  pool?: Pool | undefined;
  outbox: Outbox;
  inbox: Pick<Inbox, 'receive'>;
  /** Data came by the socket. */
  received: (data: FrameData) => void;
  /** A probe was answered: the round trip in ms, or `null` where it cannot be told. */
  measured: (rttMs: number | null) => void;
  /** Hears of data that is handed to the socket. */
  sent: (data: WireData) => void;
  /** The session is over: replies to what was asked in it will not come. */
  sessionLost: () => void;
  /** A newer socket has taken the place of the one that was joined. */
  moved: () => void;
  /** Hears of each failure that ends nothing, and what a provider threw, if that is why. */
  failed: (failed: Failure, cause: unknown) => void;
  /** Hears what the application's code throws. */
  report: (cause: unknown) => void;
  /** What every error carries. */
  context: Pick<ErrorDetails, 'connectionId' | 'serviceType'>;
}

const nothing = (): void => undefined;

/** A connection with sockets of its own, one after the other. */
export class SocketAccess implements Access {
  wasRead = false;
  generation = 0;
  /** Its part in holdfast.v1, if it speaks that. */
  readonly conversation: Conversation;
  readonly #options: SocketAccessOptions;
  readonly #endpoint: Endpoint;
  readonly #verdicts: Verdicts;
  readonly asking: Prober;
  // at most one: the socket actor that made it disposes of it before another can be made
  #link: Link | undefined;
  // the one that messages are read from
  #readLink: Link | undefined;
  #tell: Tell = nothing;
  // null: it may be holdfast.v1
  #wire: WireName | null = null;
  // where the socket goes, and the token to introduce oneself with there, until that is done
  #url = '';
  #token: string | undefined;
  #attemptId = '';
  #negotiation: Negotiation | undefined;
  #renewal: Renewal | undefined;
  // how the socket ended that made way for a newer one
  #replaced: Failure | undefined;
  // where the server sends its clients when it leaves
  #elsewhere: string | undefined;

  constructor(options: SocketAccessOptions) {
    const { settings, clock, outbox, inbox, pool, freshId, report, measured, context } = options;
    const { sessionLost, roundTrips, unanswered, isWatched } = options;
    this.#options = options;
    this.#endpoint = new Endpoint(settings, () => clock.now());
    this.#verdicts = new Verdicts(settings, report);
    this.asking = new Prober({
      settings,
      report,
      measured,
      now: () => monotonicNow(clock),
      link: () => this.#link,
      wire: () => (this.conversation.wire ? this.conversation : undefined),
    });
    this.conversation = new Conversation({
      settings: () => settings().wire,
      freshNonce: freshId,
      deliver: (payload, meta) => {
        inbox.receive(payload, meta);
      },
      noticed: (notice) => {
        this.#noticed(notice);
      },
      violated: (violation) => {
        this.#link?.transport?.close(violation.closeCode, violation.message);
        this.#failed(failureOfViolation(violation), this.generation);
      },
      ...{ clock, outbox, pool, context },
      ...{ sessionLost, measured, roundTrips, unanswered, isWatched },
    });
  }

  get cause(): unknown {
    return this.#endpoint.cause;
  }

  get facts(): RequestFacts {
    return { ...this.#options.facts(), attemptId: this.#attemptId };
  }

  get isLinked(): boolean {
    return this.#link !== undefined;
  }

  get isSession(): boolean {
    return this.conversation.isResumable;
  }

  get hasGreeted(): boolean {
    return this.conversation.hasGreeted;
  }

  // until it is known it may be either wire
  get carriesIds(): boolean {
    const { choice } = this.#options.settings().wire;
    return choice !== 'plain' && this.#wire !== 'plain';
  }

  authorize(need: CredentialsNeed, settled: Settled): () => void {
    this.#attemptId = this.#options.freshId();
    return this.#endpoint.authorize(this.facts, need, this.#verdicts.decided(settled));
  }

  locate(settled: Settled): () => void {
    return this.#endpoint.locate(this.facts, this.#verdicts.decided(settled));
  }

  dial({ generation, offer }: { generation: number; offer: WireOffer }, tell: Tell): void {
    const destination = this.#endpoint.take();
    this.generation = generation;
    this.wasRead = false;
    this.#tell = tell;
    const { clock } = this.#options;
    const WebSocket = this.#options.webSocket();
    if (!WebSocket) return this.#failed(failure('NO_WEBSOCKET'), generation);
    if (!destination) return this.#failed(failure('INVALID_URL', 'no URL was found'), generation);
    this.#url = destination.address.url;
    this.#token = destination.token;
    const wire = this.#offers(offer) ? 'offered' : 'plain';
    this.#wire = wire === 'plain' ? 'plain' : null;
    const address = wire === 'offered' ? offering(destination.address) : destination.address;
    try {
      this.#link = new Link(
        (listener) => openWebSocket(address, listener, { WebSocket, clock, sent: this.#options.sent }),
        {
          opened: (link) => {
            // a handshake that was refused with the name of the subprotocol, and not without it
            if (wire === 'plain' && offer === 'withheld') this.#found('plain');
            const lost = wire === 'plain' ? this.conversation.abandon('plain') : null;
            tell({ type: 'socket.opened', generation, canPing: this.asking.canProbe(link), wire, lost });
          },
          ended: (end, wasOpen) => {
            this.#ended(end, { wasOpen, generation });
          },
          ponged: (mark) => {
            this.asking.ponged(mark);
          },
        },
      );
    } catch (cause) {
      this.#failed(constructorFailure(cause), generation);
    }
  }

  negotiate(tell: Tell): () => void {
    const link = this.#link;
    if (!link?.transport) return nothing;
    const auth = this.#token;
    this.#token = undefined;
    const negotiation = this.conversation.negotiate(link, link.transport, {
      auth,
      canPing: this.asking.canProbe(link),
      tell: (event) => {
        if (event.type === 'session.welcomed') this.#found('holdfast.v1');
        if (event.type === 'wire.plain') this.#found('plain');
        tell(event.type === 'negotiation.failed' ? { ...event, failure: this.#verdicts.decide(event.failure) } : event);
      },
    });
    this.#negotiation = negotiation;
    negotiation.start();
    return () => {
      negotiation.abandon();
    };
  }

  yieldToPlain(): void {
    this.#negotiation?.yield();
  }

  succeed(tell: Tell): () => void {
    const { clock, settings, webSocket, freshId } = this.#options;
    this.#attemptId = freshId();
    const succession = new Succession({
      settings,
      clock,
      facts: this.facts,
      conversation: this.conversation,
      url: this.#elsewhere,
      generation: this.generation + 1,
      open: (address, listener) => {
        const WebSocket = webSocket();
        if (!WebSocket) throw new TypeError('There is no WebSocket.');
        return openWebSocket(address, listener, { WebSocket, clock, sent: this.#options.sent });
      },
      adopt: (link, generation) => {
        this.#adopt(link, generation);
      },
      ended: (end, generation) => {
        this.#ended(end, { wasOpen: true, generation });
      },
      tell: (event) => {
        if (event.type === 'successor.failed') this.#stayed();
        tell(event);
      },
      failed: this.#endedNothing,
    });
    return () => {
      succession.abandon();
      this.#stayed();
    };
  }

  renew(tell: Tell): () => void {
    const { settings, clock } = this.#options;
    const renewal = new Renewal({
      settings,
      clock,
      facts: this.facts,
      give: (token) => {
        this.conversation.renew(token);
      },
      tell,
      failed: this.#endedNothing,
    });
    this.#renewal = renewal;
    return () => {
      renewal.abandon();
    };
  }

  greet(messages: readonly EncodedMessage[]): void {
    if (this.conversation.wire) return this.conversation.greet(messages);
    const transport = this.#link?.transport;
    transport?.batch(() => {
      for (const { data } of messages) transport.send(data);
    });
  }

  join(): Joined | undefined {
    const transport = this.#link?.transport;
    if (!transport) return undefined;
    const { wire } = this.conversation;
    if (wire) this.#options.pool?.introduce(wire);
    wire?.replay();
    const { clock, outbox } = this.#options;
    return wire
      ? { wire, isTrusted: true }
      : { wire: new PlainWire(transport, { clock, reports: outbox.reports }), isTrusted: false };
  }

  read(): void {
    const { inbox, received } = this.#options;
    const { wire, hasGreeted } = this.conversation;
    const isSession = wire !== undefined;
    if (wire) this.#options.pool?.linked(wire, hasGreeted);
    this.#readLink = this.#link;
    this.#link?.read((data) => {
      received(data);
      if (isSession) this.conversation.receive(data);
      else inbox.receive(owned(data));
    });
  }

  unread(): void {
    // not a newer one, whose first frames are for who reads it next
    this.#readLink?.read(undefined);
    this.#readLink = undefined;
  }

  close(code: number, reason: string): void {
    this.conversation.bye();
    this.#link?.transport?.close(code, reason);
  }

  hangUp(): void {
    this.#replaced = undefined;
    this.conversation.lost();
    this.#options.pool?.unlinked();
    this.#link?.dispose();
    this.#link = undefined;
    this.#wire = null;
  }

  end(why: Failure | null): void {
    this.conversation.end();
    this.#options.pool?.ended(why);
  }

  // no newer socket comes: if the present one made way for it, that is a loss like any other
  #stayed(): void {
    if (!this.conversation.isMoving) return;
    this.conversation.stayed();
    const replaced = this.#replaced;
    this.#replaced = undefined;
    if (replaced) this.#failed(this.conversation.explained(replaced), this.generation);
  }

  #ended(end: TransportEnd, { wasOpen, generation }: { wasOpen: boolean; generation: number }): void {
    // the server made way for our own newer socket, whose welcome is about to come
    if (end.code === WireClose.replaced && this.conversation.isMoving) {
      this.#replaced = this.#verdicts.failureOf(end, { wasOpen, wire: this.#wire });
      return;
    }
    this.wasRead = end.wasClean && end.initiator === 'local';
    const ended = { ...end, wasOpen, wire: this.#wire ?? 'holdfast.v1' };
    this.conversation.ended(ended);
    this.#options.memory.ended(this.#url, ended);
    const failed = this.conversation.explained(this.#verdicts.failureOf(end, { wasOpen, wire: this.#wire }));
    this.#failed(failed, generation, wasOpen ? undefined : ended.wire === 'plain' ? 'withheld' : 'made');
  }

  // the application's rules say what kind of trouble it is, and nobody has to decide on it
  readonly #endedNothing = (failed: Failure, cause: unknown): void => {
    this.#options.failed(this.#verdicts.ruled(failed), cause);
  };

  #failed(failed: Failure, generation: number, offer?: WireOffer): void {
    const decided = this.#verdicts.decide(failed);
    this.#options.pool?.failing(decided);
    this.#tell({ type: 'socket.closed', generation, failure: decided, ...(offer && { offer }) });
  }

  #adopt(link: Link, generation: number): void {
    const former = this.#link;
    this.#options.outbox.lost({ wasRead: false });
    former?.read(undefined);
    this.#link = link;
    this.#replaced = undefined;
    this.generation = generation;
    // whoever doubts the former link has its answer: the new one lives
    former?.heard();
    former?.transport?.close(CloseCode.normal, 'moved');
    former?.dispose();
    // a session that begins anew is greeted first
    if (this.conversation.isResumed) this.#options.moved();
  }

  #noticed(notice: Notice): void {
    if (notice.t === 'away') {
      this.#elsewhere = notice.url;
      this.#tell({ type: 'server.away', inMs: notice.in, spreadMs: notice.spread });
    }
    if (notice.t !== 'auth') return;
    if (notice.need) this.#tell({ type: 'credentials.demanded' });
    if (notice.ok) this.#renewal?.taken();
  }

  #found(wire: WireName): void {
    this.#wire = wire;
    this.#options.memory.remember(this.#url, wire);
  }

  // whether the name of holdfast.v1 is part of the next handshake
  #offers(offer: WireOffer): boolean {
    const { choice } = this.#options.settings().wire;
    if (choice !== 'prefer') return choice === 'required';
    // a session is not given up because a server was down for a moment
    if (this.conversation.isResumable && !this.conversation.isForsaken) return true;
    const known = this.#options.memory.recall(this.#url);
    return known === undefined ? offer === 'made' : known === 'holdfast.v1';
  }
}
