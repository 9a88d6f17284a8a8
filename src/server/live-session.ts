import type { Actor } from 'xstate';

import type { SessionEnd, SessionEvent } from '../../machines/session.ts';
import { FaultError, MessageError } from '../errors.ts';
import { WireClose } from '../protocol/close-codes.ts';
import type { ServerFrame, WireMeta } from '../protocol/frames.ts';
import { Channels } from './channels.ts';
import type { StoreClock } from './clock.ts';
import type { Conversation, ConversationParts } from './conversation.ts';
import { Delivery } from './delivery.ts';
import { Dispatch } from './dispatch.ts';
import { sayGoodbye } from './farewell.ts';
import { frameBytesOf, volatileFrame, type WeighedMessage } from '../protocol/framing.ts';
import { Intake, type Arrival } from './intake.ts';
import type { Link } from './link.ts';
import { Listeners } from './listeners.ts';
import { Mailbox, type HandlerOptions, type MessageHandler, type RequestHandler } from './mailbox.ts';
import type { AskOptions, InboundMessage, InboundRequest, MessageOptions, Report, SessionReceipt } from './message.ts';
import type { ServerLimits } from './options.ts';
import { outbound } from './outbound.ts';
import { Outflow } from './outflow.ts';
import { Ownership } from './ownership.ts';
import { Receipt } from './receipt.ts';
import { Replies } from './replies.ts';
import { sessionListening } from './schema.ts';
import { sessionActor, type sessionLogic } from './session.ts';
import type { SharedDelay } from './shared-delay.ts';
import type { OwnedSession, SessionStore } from './store.ts';
import type { Channel, Session, SessionEvents } from './surface.ts';

/** What the sessions of a node share. */
export interface SessionHost {
  readonly store: SessionStore;
  readonly clock: StoreClock;
  readonly limits: ServerLimits;
  /** Acknowledgements wait here for frames that take them along. */
  readonly ackDelay: SharedDelay;
  report: Report;
  /** The session has no socket any more. */
  detached(session: LiveSession): void;
  /** The session has another socket. */
  resumed(session: LiveSession): void;
  /** The session is over. */
  ended(session: LiveSession, why: SessionEnd): void;
}

/** Who a session belongs to, and what its client calls it. */
export interface SessionOwner {
  principal: string;
  /** `null` for a session that was opened elsewhere: its client is known by its token alone. */
  nonce: string | null;
}

/** How a socket takes a session over. */
export interface Attachment {
  conversation: Conversation;
  owned: OwnedSession;
  /** The last position that the client has. */
  received: number;
}

// beyond it a volatile message is not worth its place
const MAX_VOLATILE_BUFFER = 1_048_576;

/** A session that this node has: its parts, and the application's view of them. */
export class LiveSession implements Session, ConversationParts {
  readonly id: string;
  readonly principal: string;
  readonly nonce: string | null;
  readonly isInherited: boolean;
  readonly ownership: Ownership;
  readonly intake: Intake;
  readonly outflow: Outflow;
  readonly channels: Channels;
  readonly #host: SessionHost;
  readonly #delivery: Delivery;
  readonly #replies: Replies;
  readonly #mailbox: Mailbox;
  readonly #dispatch: Dispatch;
  readonly #emitter: Listeners<SessionEvents>;
  readonly #actor: Actor<typeof sessionLogic>;
  // the socket that carries it, or is about to
  #attachment: Attachment | undefined;
  #rate: Link['rate'] | undefined;
  #closing: { code?: number; text?: string } = {};
  #hasBegun = false;
  #caughtUp: () => void = () => undefined;
  readonly #over: Promise<void>;
  #isOver!: () => void;

  constructor(host: SessionHost, { principal, nonce }: SessionOwner, owned: OwnedSession) {
    const { store, clock, limits } = host;
    const { sid } = owned;
    const fault = (cause: unknown): void => {
      host.report(new FaultError('INTERNAL_FAULT', { cause }));
    };
    this.#host = host;
    this.id = sid;
    this.principal = principal;
    this.nonce = nonce;
    this.isInherited = owned.previousNode !== null;
    this.#over = new Promise((resolve) => {
      this.#isOver = resolve;
    });
    this.#emitter = new Listeners(sessionListening, (cause) => {
      host.report(new FaultError('LISTENER_THREW', { cause }));
    });
    this.#mailbox = new Mailbox(host.report);
    this.#actor = sessionActor({ sid, gen: owned.gen }, clock, {
      startTraffic: (caughtUp) => this.#startTraffic(caughtUp),
      onceSettled: (settled) => this.outflow.onceSettled(settled),
      reportDetached: () => {
        this.#emitter.emit('detached', { sid });
        host.detached(this);
      },
      reportResumed: () => {
        this.#emitter.emit('resumed', { sid, gen: this.ownership.gen });
        host.resumed(this);
      },
      finish: (why) => {
        this.#finish(why);
      },
    });
    this.ownership = new Ownership(owned.gen, (why) => {
      this.tell({ type: why === 'gone' ? 'expired' : 'takenOver' });
    });
    this.#delivery = new Delivery(
      {
        sid,
        store,
        fault,
        tellAccepted: () => (this.intake.hasNews ? this.intake.tell() : 0),
        caughtUp: () => this.#caughtUp(),
        broken: (cause) => {
          fault(cause);
          this.#guarded(this.#destroy());
          this.tell({ type: 'expired' });
        },
      },
      { top: owned.top, acknowledged: owned.acked },
    );
    const shared = { sid, store, ownership: this.ownership, fault };
    this.outflow = new Outflow({
      clock,
      delivery: this.#delivery,
      bufferedBytes: limits.bufferedBytes,
      overflowed: () => {
        this.tell({ type: 'overflowed' });
      },
      tooSlow: () => {
        this.link?.close(WireClose.slowConsumer, 'too slow a reader');
      },
      ...shared,
    });
    this.intake = new Intake({
      limits,
      principal,
      accepted: owned.rx,
      now: () => clock.now(),
      deliver: (message) => {
        this.#dispatch.deliver(message);
      },
      acknowledge: (withinMs) => {
        this.#acknowledge(withinMs);
      },
      say: (frame) => {
        this.link?.send(frame);
        return this.link !== undefined;
      },
      violated: ({ closeCode, message }) => {
        this.link?.close(closeCode, message);
      },
      ...shared,
    });
    // with a part of the session's name: a client may answer in this session what it was asked in one that is lost
    this.#replies = new Replies(clock, `${sid.slice(0, 8)}.${owned.gen}`);
    this.channels = new Channels({
      limits,
      outflow: this.outflow,
      report: host.report,
      send: (data, options) => this.send(data, options),
      tell: (frame) => this.link?.send(frame),
    });
    this.#dispatch = new Dispatch({
      mailbox: this.#mailbox,
      channels: this.channels,
      replies: this.#replies,
      intake: this.intake,
      now: () => clock.now(),
      send: (data, options, ids) => this.#send(data, options, ids),
    });
  }

  get state(): Session['state'] {
    // the chart is behind while it tells of an edge
    if (this.#actor.getSnapshot().value === 'ended') return 'ended';
    return this.link ? 'attached' : 'detached';
  }

  get unacknowledged(): number {
    return this.outflow.size;
  }

  /** The socket that carries it. */
  get link(): Link | undefined {
    const link = this.#attachment?.conversation.link;
    return link?.isOpen ? link : undefined;
  }

  /** What is said over that socket. */
  get conversation(): Conversation | undefined {
    return this.#attachment?.conversation;
  }

  send(data: unknown, options: MessageOptions = {}): SessionReceipt {
    return this.#send(data, options);
  }

  /** Sends what is encoded already. */
  push(message: WeighedMessage): SessionReceipt {
    return this.outflow.send(message);
  }

  sendVolatile(data: unknown, options: MessageOptions = {}): boolean {
    const { link } = this;
    if (!link || this.#delivery.isPaused || link.bufferedBytes > MAX_VOLATILE_BUFFER) return false;
    const message = outbound(data, options);
    if (frameBytesOf(message) > link.limits.frame) return false;
    link.sendBatch(volatileFrame(message));
    return true;
  }

  request(data: unknown, options: AskOptions = {}): Promise<unknown> {
    return this.#replies.ask((r) => this.#send(data, options, { r }), options);
  }

  onMessage(handler: MessageHandler, options?: HandlerOptions): () => void {
    return this.#mailbox.onMessage(handler, options);
  }

  onRequest(handler: RequestHandler, options?: HandlerOptions): () => void {
    return this.#mailbox.onRequest(handler, options);
  }

  [Symbol.asyncIterator](): AsyncIterator<InboundMessage | InboundRequest> {
    return this.#mailbox[Symbol.asyncIterator]();
  }

  channel(name: string): Channel | undefined {
    return this.channels.get(name);
  }

  onChannel(listener: (channel: Channel) => void): () => void {
    return this.channels.onChannel(listener);
  }

  on<Type extends keyof SessionEvents>(type: Type, listener: (event: SessionEvents[Type]) => unknown): () => void {
    return this.#emitter.on(type, listener);
  }

  close({ code, why }: { code?: number; why?: string } = {}): Promise<void> {
    this.#closing = { ...(code !== undefined && { code }), ...(why !== undefined && { text: why }) };
    this.tell({ type: 'close' });
    return this.#over;
  }

  /** Tells the chart of an edge; one that is over hears nothing. */
  tell(event: SessionEvent): void {
    if (this.#actor.getSnapshot().status === 'active') this.#actor.send(event);
  }

  /** A newer socket carries it from now on; the one before is closed. */
  attach(attachment: Attachment, welcome: ServerFrame): void {
    const previous = this.#attachment;
    const { conversation, owned } = attachment;
    const { link } = conversation;
    this.#attachment = attachment;
    // who comes back by another socket has no more than before
    link.rate = this.#rate ??= link.rate;
    link.readBy(conversation);
    link.send(welcome);
    this.#begin(owned.gen);
    previous?.conversation.link.close(WireClose.replaced, 'a newer socket has the session');
    // it may have gone while the store was asked
    if (!link.isOpen) this.lost(conversation);
  }

  setWindow(window: { messages: number; bytes: number }): void {
    this.#delivery.setWindow(window);
  }

  volatile(arrival: Arrival): void {
    this.#dispatch.volatile(arrival);
  }

  confirm(): void {
    const gen = this.#attachment?.owned.gen;
    // of this socket only: a hello that came late may have a newer generation by now, whose token its client never gets
    if (gen !== undefined) this.#guarded(this.#host.store.confirm(this.id, gen));
  }

  bye(): void {
    this.tell({ type: 'bye' });
  }

  lost(from: Conversation): void {
    // an older socket has nothing to say
    if (from !== this.#attachment?.conversation) return;
    const { gen } = this.#attachment.owned;
    this.#attachment = undefined;
    this.#guarded(this.ownership.during(() => this.#host.store.detach(this.id, gen)));
    this.tell({ type: 'socket.lost', gen });
  }

  /** Tells the store that this node is alive, and hears of what was sent without waking it. */
  touch(): void {
    if (this.link) void this.outflow.touch();
  }

  /** Somebody else has sent something to it. */
  woken(top: number): void {
    this.#delivery.woken(top);
  }

  #begin(gen: number): void {
    if (this.#hasBegun) return this.tell({ type: 'socket.attached', gen });
    this.#hasBegun = true;
    this.#actor.start();
  }

  // whatever goes wrong in here must not reach the chart
  #startTraffic(caughtUp: () => void): () => void {
    const attachment = this.#attachment;
    if (!attachment) return () => undefined;
    const { conversation, owned, received } = attachment;
    this.#caughtUp = caughtUp;
    this.outflow.attach(conversation.link, { received, top: owned.top });
    this.intake.attached(owned.rx);
    this.channels.attached();
    this.#delivery.pump();
    return () => {
      this.outflow.detach();
    };
  }

  #finish(why: SessionEnd): void {
    const { link } = this;
    this.#attachment = undefined;
    const message = `The session has ended: ${why}.`;
    this.outflow.end(new MessageError('CONNECTION_ENDED', { message }));
    this.#replies.end();
    // what is left there was not acknowledged: whoever sent it knows that it may not have arrived
    this.#mailbox.end();
    if (why === 'closed') this.channels.discard();
    else this.channels.end();
    this.#host.ackDelay.clear(this);
    if (link) sayGoodbye(link, { why, ...this.#closing, accepted: this.intake.hasNews ? this.intake.tell() : 0 });
    const { store } = this.#host;
    if (why === 'closed' || why === 'closed_by_peer') this.#guarded(this.#destroy());
    else if (why === 'released' && link) this.#guarded(store.detach(this.id, this.ownership.gen));
    this.#emitter.emit('ended', { sid: this.id, why });
    this.#emitter.clear();
    this.#host.ended(this, why);
    this.#isOver();
  }

  #destroy(): Promise<unknown> {
    return this.ownership.write((gen) => this.#host.store.destroy(this.id, gen));
  }

  #guarded(write: Promise<unknown>): void {
    write.catch((cause: unknown) => {
      this.#host.report(new FaultError('INTERNAL_FAULT', { cause }));
    });
  }

  #send(data: unknown, options: MessageOptions, ids?: Pick<WireMeta, 'r' | 're'>): Receipt {
    if (options.channel !== undefined && !this.channels.get(options.channel))
      return Receipt.refused(new MessageError('CONNECTION_ENDED', { message: 'The channel is not open.' }));
    try {
      return this.outflow.send(outbound(data, options, { ids, memory: this.outflow.memoryFor(options.channel) }));
    } catch (error) {
      return Receipt.refused(error as MessageError);
    }
  }

  #acknowledge(withinMs: number): void {
    if (withinMs === 0) this.link?.send({ t: 'ack', a: this.intake.tell() });
    else
      this.#host.ackDelay.set(this, withinMs, () => {
        if (this.intake.hasNews) this.link?.send({ t: 'ack', a: this.intake.tell() });
      });
  }
}
