import type { Connection, EnhancedWebSocketService, MessageError, Receipt, SendOptions } from '../../src/index.ts';
import { DOUBTFUL } from './application.ts';
import type { Chance } from '../../src/testing/chance.ts';
import { Hearing } from './hearing.ts';
import { FORMS, payloadOf, tagOf } from './tags.ts';
import type { Truth } from './truth.ts';

/** A message of the client's application, and what it was told of it. */
interface Sent {
  tag: string;
  receipt: Receipt | undefined;
  isVolatile: boolean;
  /** Codes of the `undelivered` events for it. */
  undelivered: string[];
  outcome: 'sent' | 'acknowledged' | 'not_sent' | 'unknown' | 'rejected' | undefined;
}

export interface PeerOptions {
  service: EnhancedWebSocketService;
  chance: Chance;
  truth: Truth;
  nextTag: () => string;
  /** Who its sessions belong to: itself, or the carrier of its pool. */
  principal: string;
  /** Characters of a large message; 0 for none. */
  largeSize: number;
}

/** One connection of the client, and the application that uses it. */
export class Peer {
  readonly id: string;
  readonly connection: Connection<unknown>;
  readonly sent: Sent[] = [];
  /** Whether the application wants it open: it may leave a pool, or be shown the door. */
  isWanted = true;
  /** Requests that are not answered. */
  openRequests = 0;
  readonly #options: PeerOptions;
  readonly #hearing: Hearing;
  readonly #byReceipt = new Map<string, Sent>();
  // in ms of the run
  #endedAt = -1;

  constructor(id: string, options: PeerOptions) {
    const { service, truth } = options;
    this.id = id;
    this.#options = options;
    this.#hearing = new Hearing(id, options);
    this.connection = service.connection(id);
    this.#hearing.listen(this.connection);
    service.on('status', ({ connectionId, current }) => {
      if (connectionId === id && (current === 'closed' || current === 'failed')) this.#endedAt = truth.history.at;
    });
    service.on('undelivered', ({ connectionId, messageId, error }) => {
      if (connectionId === id) this.#undelivered(messageId, error);
    });
    for (const type of ['opened', 'closed', 'gaveUp'] as const)
      service.on(type, (event) => {
        if (event.connectionId !== id) return;
        const { code, reason, error } = event as { code?: number; reason?: string; error?: { code?: string } };
        truth.history.note(`${id} ${type} ${code === undefined ? '' : `${code} ${String(reason)}`}`);
        this.checkBooks();
        if (type === 'gaveUp') this.#gaveUp(error?.code);
      });
  }

  /** What keeps it from being at rest; `null` for nothing. */
  get unrest(): string | null {
    const { state, messages } = this.connection.status;
    const isThere = this.isWanted ? state === 'open' : this.isGone;
    if (!isThere) return `${this.id} is ${state}`;
    if (messages.waiting > 0) return `${messages.waiting} messages of ${this.id} wait`;
    const unsettled = this.sent.find(({ receipt }) => receipt?.fate === 'waiting' || receipt?.fate === 'handed');
    if (unsettled) return `${unsettled.tag} of ${this.id} has no fate`;
    if (this.openRequests > 0) return `${this.openRequests} requests of ${this.id} have no answer`;
    return this.#hearing.lack;
  }

  /** Whether it is a channel of a pool. */
  get isShared(): boolean {
    return this.#options.principal !== this.id;
  }

  /** Whether it has come to its end, and can be wanted again. */
  get isGone(): boolean {
    return ['closed', 'failed'].includes(this.connection.status.state);
  }

  /** Leaves its pool. */
  leave(): void {
    this.#options.truth.history.note(`${this.id} leaves`);
    this.isWanted = false;
    void this.connection.close();
  }

  /** Comes back to its pool. */
  join(): void {
    this.#options.truth.history.note(`${this.id} joins`);
    this.isWanted = true;
    this.connection.connect().catch(() => undefined);
  }

  send(): void {
    const { chance, nextTag, truth, largeSize } = this.#options;
    const tag = `c${nextTag()}`;
    const isVolatile = chance.happens(0.05);
    const type = chance.pick([undefined, undefined, undefined, 'note', DOUBTFUL]);
    const options: SendOptions = {
      ...(isVolatile && { volatile: true }),
      ...(!isVolatile && chance.happens(0.25) && { idempotencyKey: `k${tag}` }),
      ...(type !== undefined && { type }),
      ...(chance.happens(0.1) && { headers: { lang: 'en' } }),
    };
    truth.history.note(`${this.id} sends ${tag} ${Object.keys(options).join(' ')}`);
    const sent: Sent = { tag, receipt: undefined, isVolatile, undelivered: [], outcome: undefined };
    this.sent.push(sent);
    const payload =
      largeSize > 0 && chance.happens(0.4) ? payloadOf(tag, 'bytes', largeSize) : payloadOf(tag, chance.pick(FORMS));
    const receipt = this.connection.send(payload, options);
    sent.receipt = receipt;
    this.#byReceipt.set(receipt.id, sent);
    receipt.settled.then(
      ({ outcome }) => {
        sent.outcome = outcome;
        if (outcome === 'acknowledged') this.#acknowledged(tag);
        else truth.history.require(isVolatile, () => `${tag} is said to be ${outcome}`);
      },
      (error: unknown) => {
        sent.outcome = (error as MessageError).outcome;
        truth.history.note(`${this.id} is told of ${tag}: ${(error as MessageError).code}`);
      },
    );
  }

  ask(): void {
    const { chance, nextTag, truth } = this.#options;
    const tag = `r${nextTag()}`;
    truth.history.note(`${this.id} asks ${tag}`);
    this.openRequests += 1;
    const sent: Sent = { tag, receipt: undefined, isVolatile: false, undelivered: [], outcome: undefined };
    this.sent.push(sent);
    const options = { timeoutMs: 5_000, ...(chance.happens(0.3) && { idempotencyKey: `k${tag}` }) };
    this.connection.request(payloadOf(tag, chance.pick(FORMS)), options).then(
      (reply) => {
        this.openRequests -= 1;
        sent.outcome = 'acknowledged';
        truth.history.require(tagOf(reply) === `re:${tag}`, () => `${tag} was answered with ${tagOf(reply)}`);
      },
      (error: unknown) => {
        this.openRequests -= 1;
        sent.outcome = (error as MessageError).outcome;
        truth.history.note(`${this.id} is told of ${tag}: ${(error as MessageError).code}`);
      },
    );
  }

  /** What must hold at every moment: each message has one fate, and they add up. */
  checkBooks(): void {
    const { accepted, sent, acknowledged, dropped, unknown, waiting } = this.connection.status.messages;
    this.#options.truth.history.require(
      accepted === sent + acknowledged + dropped + unknown + waiting,
      () => `${this.id}: ${accepted} accepted, ${sent + acknowledged} well, ${dropped + unknown} not, ${waiting} wait`,
    );
  }

  /** What must hold when everything is over. */
  checkFates(): void {
    const { truth } = this.#options;
    const { history } = truth;
    for (const { tag, receipt, outcome, undelivered, isVolatile } of this.sent) {
      const count = truth.upCounts.get(tag) ?? 0;
      history.require(outcome !== undefined, () => `${tag} has no outcome`);
      const isHad = count > 0 || truth.flitted.has(tag);
      if (outcome === 'not_sent')
        history.require(!isHad, () => `${tag} was not sent, says its receipt, and an application had it`);
      if (truth.moves === 0) {
        history.require(count <= 1, () => `${tag} came ${count} times to the only node`);
        if (outcome === 'rejected')
          history.require(!isHad, () => `${tag} was not acted on, says its receipt, and an application had it`);
      }
      if (!receipt || isVolatile) continue;
      const isWell = receipt.fate === 'acknowledged';
      history.require(
        isWell === (outcome === 'acknowledged'),
        () => `${tag} is ${receipt.fate} and ${String(outcome)}`,
      );
      history.require(!isWell || isHad || truth.isBuried(tag), () => `${tag} is acknowledged, and nobody ever had it`);
      history.require(
        undelivered.length === (isWell ? 0 : 1),
        () => `${tag} is ${receipt.fate}, and was told undelivered ${undelivered.length} times`,
      );
    }
  }

  // the queue of a channel accepts for its application, which may have it later
  #acknowledged(tag: string): void {
    const { truth } = this.#options;
    truth.history.require(
      this.isShared || truth.upAccepted.has(tag),
      () => `${tag} is acknowledged, and no application has accepted it`,
    );
  }

  #gaveUp(code: string | undefined): void {
    const { truth } = this.#options;
    const isShown = code === 'CHANNEL_REFUSED' && truth.dismissedAt.has(this.id);
    if (isShown) this.isWanted = false;
    truth.history.require(isShown, () => `${this.id} gave up: ${String(code)}`);
  }

  #undelivered(messageId: string, error: MessageError): void {
    const { truth } = this.#options;
    const sent = this.#byReceipt.get(messageId);
    sent?.undelivered.push(error.code);
    if (sent?.isVolatile) return;
    const what = `${sent?.tag ?? messageId} (${error.code})`;
    if (error.code === 'MESSAGE_REJECTED') {
      // a channel has taken what is in its queue: only one that is closed refuses
      const isTrue = this.isShared
        ? error.message.startsWith('CHANNEL_CLOSED')
        : sent !== undefined && truth.upRefused.has(sent.tag);
      truth.history.require(isTrue, () => `${what} is refused, and no application has refused it`);
    } else if (error.outcome === 'unknown' && this.isWanted && this.#endedAt < truth.history.at)
      this.#hearing.doubted(what);
  }
}
