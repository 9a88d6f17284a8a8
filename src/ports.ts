import type { ConnectionEvent } from '../machines/facts.ts';
import { tameText } from './core/redact.ts';
import { failure, failureOfClosure, type Failure } from './core/recovery.ts';
import { Endpoint, type RequestFacts, type Settled } from './endpoint.ts';
import { Inbox } from './inbox.ts';
import { isolated } from './core/isolation.ts';
import { Link } from './link.ts';
import { Outbox } from './outbox.ts';
import { greet } from './greeting.ts';
import { decodeWith, encodeWith, type Profile } from './protocol/profile.ts';
import { Requests } from './requests.ts';
import { InboundError, type MessageError } from './errors.ts';
import type { ServiceSettings } from './settings.ts';
import type { Clock } from './transport/clock.ts';
import type { Transport, TransportEnd } from './transport/transport.ts';
import { openWebSocket, type WebSocketConstructor } from './transport/websocket.ts';

export interface PortsOptions {
  connectionId: string;
  serviceType: string;
  settings: () => ServiceSettings;
  queueing: () => boolean;
  clock: Clock;
  /** Looked up when a connection dials, so that a service can be made where there is none. */
  webSocket: () => WebSocketConstructor | undefined;
  /** What the providers are told of this connection. */
  facts: () => Omit<RequestFacts, 'attemptId'>;
  /** Names an attempt as no other was ever named. */
  freshId: () => string;
  /** Hears of each inbound message. */
  deliver: (message: unknown) => void;
  /** Hears of each inbound frame that is no message. */
  undecodable: (error: InboundError) => void;
  /** Hears of each message that was not sent, or may not have been. */
  undelivered: (id: string, error: MessageError) => void;
  /** Hears what the application's code throws. */
  report: (cause: unknown) => void;
}

type Tell = (event: ConnectionEvent) => void;
const nothing = (): void => undefined;

/** What one connection acts upon: providers, socket, outbox, inbox. Called by its actors; never throws into them. */
export class Ports {
  readonly outbox: Outbox;
  readonly inbox: Inbox;
  readonly requests: Requests;
  readonly #options: PortsOptions;
  readonly #endpoint: Endpoint;
  // at most one: the socket actor that made it disposes of it before another can be made
  #link: Link | undefined;
  #signsAtProbe = 0;
  #attemptId = '';
  #generation = 0;
  // what the profile threw, when that is why the last attempt failed
  #greetingCause: unknown;
  // the peer agreed to our close: then it has read everything before it
  #wasRead = false;
  // messages that the last socket left in doubt
  #inDoubt = 0;

  constructor(options: PortsOptions) {
    const { connectionId, serviceType, settings, queueing, clock } = options;
    this.#options = options;
    this.#endpoint = new Endpoint(settings);
    this.inbox = new Inbox({
      ...options,
      decode: (data) => decodeWith(settings().profile, data),
      undecodable: ({ code, data, message, cause }) => {
        options.undecodable(new InboundError(code, data, { connectionId, serviceType, message, cause }));
      },
      intercept: (message) => this.#intercept(message),
    });
    const context = { connectionId, serviceType };
    this.outbox = new Outbox({
      clock,
      limits: () => settings().queue,
      queueing,
      encode: (message) => encodeWith(settings().profile, message),
      resendSafe: () => settings().profile.resendSafe ?? false,
      undelivered: options.undelivered,
      context,
    });
    this.requests = new Requests({
      clock,
      replies: () => settings().profile.replies,
      send: (message, sendOptions) => this.outbox.push(message, sendOptions),
      resendSafe: () => settings().profile.resendSafe ?? false,
      context,
    });
  }

  /** What the application's code threw, when that is why the last attempt failed. */
  get cause(): unknown {
    return this.#greetingCause ?? this.#endpoint.cause;
  }

  /** How many messages the last socket left in doubt when it died. */
  get inDoubt(): number {
    return this.#inDoubt;
  }

  authorize(settled: Settled): () => void {
    this.#attemptId = this.#options.freshId();
    this.#greetingCause = undefined;
    return this.#endpoint.authorize(this.#facts, this.#decided(settled));
  }

  locate(settled: Settled): () => void {
    return this.#endpoint.locate(this.#facts, this.#decided(settled));
  }

  /** Sends what the profile says comes first. @returns Abandons that. */
  greet(settled: Settled): () => void {
    const transport = this.#link?.transport;
    const { profile } = this.#options.settings();
    if (!transport) return nothing;
    const { connectionId, terminalId, sessionId, params } = this.#facts;
    const context = { connectionId, terminalId, sessionId, params, generation: this.#generation };
    return greet(transport, { profile, context }, ({ cause, failed }) => {
      this.#greetingCause = cause;
      this.#decided(settled)(failed);
    });
  }

  /** Opens a socket to the address found, and tells what becomes of it. */
  dial(generation: number, tell: Tell): void {
    const address = this.#endpoint.take();
    this.#generation = generation;
    this.#wasRead = false;
    const { clock } = this.#options;
    const WebSocket = this.#options.webSocket();
    const fail = (failed: Failure): void => {
      tell({ type: 'socket.closed', generation, failure: this.#decide(failed) });
    };
    if (!WebSocket) return fail(failure('NO_WEBSOCKET', 'stop'));
    if (!address) return fail(failure('INVALID_URL', 'stop', 'no URL was found'));
    try {
      this.#link = new Link((listener) => openWebSocket(address, listener, { WebSocket, clock }), {
        opened: (link) => {
          tell({ type: 'socket.opened', generation, canPing: this.#canPing(link) });
        },
        ended: (end, wasOpen) => {
          this.#wasRead = end.wasClean && end.initiator === 'local';
          fail(this.#failureOf(end, wasOpen));
        },
      });
    } catch (cause) {
      fail(constructorFailure(cause));
    }
  }

  close(code: number, reason: string): void {
    try {
      this.#link?.transport?.close(code, reason);
    } catch (cause) {
      // the deadline of the closing state ends it all the same
      this.#options.report(cause);
    }
  }

  /** Lets go of the socket at once. */
  hangUp(): void {
    this.detach();
    if (this.#link) {
      this.#inDoubt = this.outbox.lost({ wasRead: this.#wasRead });
      this.requests.lost();
    }
    this.#link?.dispose();
    this.#link = undefined;
  }

  attach(): void {
    const link = this.#link;
    if (!link?.transport) return;
    this.outbox.attach(link.transport);
    this.inbox.attach();
    link.read((data) => {
      this.outbox.received();
      this.inbox.receive(data);
    });
  }

  detach(): void {
    this.outbox.detach();
    this.inbox.detach();
    this.#link?.read(undefined);
  }

  /** Sends a probe and calls back at the first sign of life after it. @returns Takes that back. */
  probe(heard: () => void): () => void {
    const link = this.#link;
    if (!link?.transport) return nothing;
    const { ping, profile } = this.#options.settings();
    // a peer that is known to speak is in doubt only if it said nothing since the last time
    const spoke = link.signsOfLife > this.#signsAtProbe;
    this.#signsAtProbe = link.signsOfLife;
    if (ping === 'silence' && spoke) {
      heard();
      return nothing;
    }
    const unhear = link.onceHeard(heard);
    const { transport } = link;
    isolated(
      () => (ping === 'silence' ? undefined : sendProbe(transport, ping, profile)),
      [],
      (cause) => {
        // a question that was not asked proves nothing: the link is no more in doubt than before
        this.#options.report(cause);
        heard();
      },
    );
    return unhear;
  }

  /** Lets go of everything. */
  dispose(): void {
    this.hangUp();
    this.inbox.clear();
    this.requests.end();
  }

  // what only the connection itself is to see
  #intercept(message: unknown): boolean {
    const { profile } = this.#options.settings();
    let isOurs = false;
    isolated(
      () => {
        isOurs = profile.isPong?.(message) === true || this.requests.take(message);
      },
      [],
      this.#options.report,
    );
    return isOurs;
  }

  get #facts(): RequestFacts {
    return { ...this.#options.facts(), attemptId: this.#attemptId };
  }

  #canPing(link: Link): boolean {
    this.#signsAtProbe = link.signsOfLife;
    return this.#options.settings().ping !== 'auto' || (link.transport?.ping ?? null) !== null;
  }

  #failureOf(end: TransportEnd, wasOpen: boolean): Failure {
    const { code, reason, wasClean, initiator, detail } = end;
    return failureOfClosure(
      { code, reason: tameText(reason), wasClean, initiator },
      { wasOpen, rules: this.#options.settings().closeRules, detail: detail === null ? null : tameText(detail) },
    );
  }

  #decided(settled: Settled): Settled {
    return (failed) => {
      settled(failed && this.#decide(failed));
    };
  }

  // the application has the last word, unless its code throws or gives no verdict
  #decide(failed: Failure): Failure {
    const { decide } = this.#options.settings();
    let verdict = failed.verdict;
    if (decide) {
      isolated(
        () => {
          const decided = decide({ ...failed });
          if (decided === 'retry' || decided === 'stop') verdict = decided;
          return decided;
        },
        [],
        this.#options.report,
      );
    }
    return { ...failed, verdict };
  }
}

/** @returns What the application's `ping` gave, if that is a promise: a probe cannot wait for it. */
function sendProbe(transport: Transport, ping: ServiceSettings['ping'], profile: Profile): unknown {
  if (typeof ping !== 'function') return transport.ping?.();
  const message = ping();
  if (message instanceof Promise) return message;
  transport.send(encodeWith(profile, message).data);
  return undefined;
}

// Source: WHATWG WebSockets standard: the constructor throws a SyntaxError for a URL or subprotocol that can never work. A
// TypeError says that it is no constructor, or has a bug: that does not pass either
function constructorFailure(cause: unknown): Failure {
  const { name } = Object(cause) as { name?: unknown };
  // only its name is kept: the platform's message quotes the URL, and with it whatever token is in there
  const detail = typeof name === 'string' ? name : null;
  if (name === 'SyntaxError') return failure('INVALID_URL', 'stop', detail);
  return failure('WEBSOCKET_FAILED', cause instanceof TypeError ? 'stop' : 'retry', detail);
}
