import { MessageError } from '../errors.ts';
import { CloseCode, WireClose } from '../protocol/close-codes.ts';
import type { BinaryBatch, ClientFrame, FrameFrom, WireMessage } from '../protocol/frames.ts';
import { ProtocolViolation } from '../protocol/violation.ts';
import type { Channels, Expected } from './channels.ts';
import type { Arrival, Intake } from './intake.ts';
import type { Lease } from './lease.ts';
import type { Link, LinkReader } from './link.ts';
import type { Identity } from './options.ts';
import type { Outflow } from './outflow.ts';

type Frame<Type extends ClientFrame['t']> = Extract<ClientFrame, { t: Type }>;

/** The parts of a session that its client speaks to. */
export interface ConversationParts {
  readonly principal: string;
  readonly intake: Intake;
  readonly outflow: Outflow;
  readonly channels: Channels;
  setWindow(window: { messages: number; bytes: number }): void;
  volatile(arrival: Arrival): void;
  /** The first frame of this generation came. */
  confirm(): void;
  /** The client ends the session. */
  bye(): void;
  /** The link is gone. */
  lost(from: Conversation): void;
}

export interface ConversationOptions {
  link: Link;
  parts: ConversationParts;
  /** The token of the client's hello. */
  auth: string | undefined;
  lease: Lease;
  now: () => number;
  /** Epoch ms. */
  wallNow: () => number;
  authenticate: (auth: string | undefined, channel?: { name: string; service: string }) => Promise<Identity | null>;
  fault: (cause: unknown) => void;
}

// a client that hands in tokens, or opens channels and ends them, faster than they are checked is no client
const MAX_CHECKS = 64;

/** What is said over one socket of a session, from `welcome` to its end. */
export class Conversation implements LinkReader {
  readonly link: Link;
  readonly #options: ConversationOptions;
  #isConfirmed = false;
  // the last one that was accepted: what the client may do is asked of it again for each channel without a token of its own
  #token: string | undefined;
  // what is with the authentication, by the frame that asked
  readonly #checks = { auth: 0, open: 0 };

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.link = options.link;
    this.#token = options.auth;
  }

  received(frame: FrameFrom<'client'>, bytes: number): void {
    const { parts } = this.#options;
    parts.outflow.heard();
    if (!this.#isConfirmed) {
      this.#isConfirmed = true;
      parts.confirm();
    }
    switch (frame.t) {
      case 'batch':
        this.#acknowledged(frame.a);
        return parts.intake.arrived(frame.s, frame.d.map(plain), bytes);
      case 'bytes':
        if (frame.s === 0) return this.#volatile(frame.b.map(copied));
        this.#acknowledged(frame.a);
        return parts.intake.arrived(frame.s, frame.b.map(copied), bytes);
      case 'm':
        this.#acknowledged(frame.a);
        return parts.intake.arrived(frame.s, frame.b.map(withMeta), bytes);
      case 'v':
        return this.#volatile(frame.b.map(withMeta));
      case 'unknown':
        return;
      case 'hello':
        throw new ProtocolViolation('a second hello');
      default:
        this.#control(frame);
    }
  }

  lost(): void {
    this.#options.parts.lost(this);
  }

  /** Looks whether the credentials still hold, and again before `untilMs` have passed. */
  look(now: number, untilMs: number): void {
    const { lease, link } = this.#options;
    const state = lease.look(now, untilMs);
    if (state === 'expired') link.close(WireClose.authExpired, 'the credentials expired');
    else if (state === 'needed')
      link.send({ t: 'auth', need: true, in: Math.max(0, Math.floor((lease.expiresAt ?? now) - now)) });
  }

  #control(frame: Exclude<ClientFrame, { t: 'hello' | 'm' | 'v' }>): void {
    const { parts } = this.#options;
    switch (frame.t) {
      case 'ack':
        if (frame.w) parts.setWindow({ messages: frame.w.m, bytes: frame.w.b });
        return this.#acknowledged(frame.a);
      case 'nack':
        return this.#refused(frame);
      case 'ping':
        this.#acknowledged(frame.a);
        return this.#pong(frame);
      case 'pong':
        this.#acknowledged(frame.a);
        return parts.intake.ponged(frame.i);
      case 'flow':
        if (frame.c === undefined) parts.setWindow({ messages: frame.w.m, bytes: frame.w.b });
        else if (parts.channels.has(frame.c)) parts.outflow.hold(frame.c, frame.w.m === 0);
        return;
      case 'auth':
        return this.#check('auth', () => this.#refresh(frame.tok));
      case 'open':
        return this.#open(frame);
      case 'shut':
        return parts.channels.shut(frame.c);
      case 'bye':
        if (frame.keep) this.link.close(CloseCode.normal, 'bye');
        else parts.bye();
        return;
      case 'err':
        // it belongs to no message, and the client knows best what follows from it
        return;
    }
  }

  #acknowledged(position: number | undefined): void {
    if (position !== undefined) this.#options.parts.outflow.acknowledge(position);
  }

  #volatile(arrivals: readonly Arrival[]): void {
    for (const arrival of arrivals) this.#options.parts.volatile(arrival);
  }

  #refused({ s, e = s, k = [], c, m, out }: Frame<'nack'>): void {
    const { outflow } = this.#options.parts;
    const outcome = out === 'rejected' ? 'rejected' : 'unknown';
    const error = new MessageError('MESSAGE_REJECTED', {
      message: `The client refused the message: ${c}, ${m}`,
      outcome,
    });
    if (s !== undefined && e !== undefined) outflow.refused(s, e, error);
    outflow.refusedByKey(k, error);
  }

  #pong({ i, ts }: Frame<'ping'>): void {
    const { parts, now } = this.#options;
    const told = parts.intake.hasNews ? { a: parts.intake.tell() } : {};
    this.link.send({ t: 'pong', i, ts, now: now(), ...told });
  }

  #open({ c: name, n: service, auth = this.#token }: Frame<'open'>): void {
    const { channels } = this.#options.parts;
    if (channels.has(name)) return;
    const objection = channels.objectionTo(name);
    if (objection !== null) return channels.refuse(name, objection);
    // messages of it may come before the answer does
    const expected = channels.expect(name);
    this.#check('open', () => this.#admit({ name, service }, { auth, expected }));
  }

  async #refresh(token: string): Promise<void> {
    const { parts, lease, authenticate, wallNow } = this.#options;
    const identity = await authenticate(token);
    if (!this.link.isOpen) return;
    if (identity?.principal !== parts.principal) {
      this.link.close(WireClose.authRejected, 'the credentials were rejected');
      return;
    }
    this.#token = token;
    lease.renew(identity.expiresAt, wallNow());
    const { expiresAt } = lease;
    this.link.send({ t: 'auth', ok: true, ...(expiresAt !== undefined && { exp: expiresAt }) });
  }

  async #admit(
    channel: { name: string; service: string },
    { auth, expected }: { auth: string | undefined; expected: Expected },
  ): Promise<void> {
    const { parts, authenticate } = this.#options;
    const identity = await authenticate(auth, channel);
    // it may have been ended while it was looked at, and opened anew
    if (!this.link.isOpen || !parts.channels.isExpected(channel.name, expected)) return;
    if (identity?.principal === parts.principal) parts.channels.open(channel.name, channel.service);
    else parts.channels.refuse(channel.name, 'forbidden');
  }

  #check(by: 'auth' | 'open', check: () => Promise<void>): void {
    // a client that comes back opens all its channels at once
    const most = by === 'open' ? MAX_CHECKS + this.#options.parts.channels.most : MAX_CHECKS;
    if (this.#checks[by] >= most) throw new ProtocolViolation('too many tokens at once');
    this.#checks[by] += 1;
    check()
      .catch((cause: unknown) => {
        this.#options.fault(cause);
        this.link.fail({
          closeCode: WireClose.serverFault,
          code: 'SERVER_FAULT',
          message: 'a fault of the server',
          temporary: true,
        });
      })
      .finally(() => {
        this.#checks[by] -= 1;
      });
  }
}

const NO_META = Object.freeze({});

function plain(data: unknown): Arrival {
  return { data, meta: NO_META };
}

// out of the frame, which would be kept whole for any part of it
function copied({ d, meta }: BinaryBatch['b'][number]): Arrival {
  return { data: d.slice(), meta };
}

function withMeta({ d: data, ...meta }: WireMessage): Arrival {
  return { data, meta };
}
