import type { Connection, EnhancedWebSocketService, MessageError, Receipt, SendOptions } from '../../src/index.ts';
import type { Chance } from './chance.ts';
import { FORMS, payloadOf, tagOf } from './tags.ts';
import { short, type SessionTruth, type Truth } from './truth.ts';

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
}

/** One connection of the client, and the application that uses it. */
export class Peer {
  readonly id: string;
  readonly connection: Connection<unknown>;
  readonly sent: Sent[] = [];
  /** Requests that are not answered. */
  openRequests = 0;
  readonly #options: PeerOptions;
  readonly #byReceipt = new Map<string, Sent>();
  #sid: string | undefined;
  readonly #past = new Set<string>();
  #isToldOfLoss = false;
  // messages told to be in doubt, at the moment of the last discontinuity
  #doubt = { at: -1, told: 0, seen: 0 };

  constructor(id: string, options: PeerOptions) {
    const { service, truth } = options;
    this.id = id;
    this.#options = options;
    this.connection = service.connection(id);
    this.connection.subscribe((message) => {
      this.#had(tagOf(message));
    });
    this.connection.onRequest((message) => {
      const tag = tagOf(message);
      this.#had(tag);
      return `re:${tag}`;
    });
    service.on('discontinuity', ({ connectionId, why, inDoubt }) => {
      if (connectionId === id) this.#lost(why, inDoubt);
    });
    service.on('undelivered', ({ connectionId, messageId, error }) => {
      if (connectionId === id) this.#undelivered(messageId, error);
    });
    for (const type of ['opened', 'closed', 'gaveUp'] as const)
      service.on(type, (event) => {
        if (event.connectionId !== id) return;
        const { code, reason } = event as { code?: number; reason?: string };
        truth.history.note(`${id} ${type} ${code === undefined ? '' : `${code} ${String(reason)}`}`);
        this.checkBooks();
        truth.history.require(
          type !== 'gaveUp',
          () => `${id} gave up: ${String((event as { error?: unknown }).error)}`,
        );
      });
  }

  /** What keeps it from being at rest; `null` for nothing. */
  get unrest(): string | null {
    const { state, messages } = this.connection.status;
    if (state !== 'open') return `${this.id} is ${state}`;
    if (messages.waiting > 0) return `${messages.waiting} messages of ${this.id} wait`;
    const unsettled = this.sent.find(({ receipt }) => receipt?.fate === 'waiting' || receipt?.fate === 'handed');
    if (unsettled) return `${unsettled.tag} of ${this.id} has no fate`;
    return this.openRequests > 0 ? `${this.openRequests} requests of ${this.id} have no answer` : null;
  }

  send(): void {
    const { chance, nextTag, truth } = this.#options;
    const tag = `c${nextTag()}`;
    const isVolatile = chance.happens(0.05);
    const options: SendOptions = {
      ...(isVolatile && { volatile: true }),
      ...(!isVolatile && chance.happens(0.25) && { idempotencyKey: `k${tag}` }),
      ...(chance.happens(0.15) && { type: 'note' }),
      ...(chance.happens(0.1) && { headers: { lang: 'en' } }),
    };
    truth.history.note(`${this.id} sends ${tag} ${Object.keys(options).join(' ')}`);
    const sent: Sent = { tag, receipt: undefined, isVolatile, undelivered: [], outcome: undefined };
    this.sent.push(sent);
    const receipt = this.connection.send(payloadOf(tag, chance.pick(FORMS)), options);
    sent.receipt = receipt;
    this.#byReceipt.set(receipt.id, sent);
    receipt.settled.then(
      ({ outcome }) => {
        sent.outcome = outcome;
        if (outcome === 'acknowledged')
          truth.history.require(truth.upCounts.has(tag), () => `${tag} is acknowledged, and no application had it`);
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

  /** Whether the application had everything that is kept for its session. @returns What it lacks; `null` for nothing. */
  get lack(): string | null {
    const { truth } = this.#options;
    const session = truth.session(this.#sid);
    // after a loss the first message shows which session it is
    if (!session?.isKept || this.#isToldOfLoss) return null;
    let reach = session.downHad;
    while (session.down[reach]?.isReply) reach += 1;
    return reach === session.down.length ? null : `${this.id} has ${reach} of ${session.down.length} messages`;
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
      if (outcome === 'not_sent') {
        const isHad = count > 0 || truth.flitted.has(tag);
        history.require(!isHad, () => `${tag} was not sent, says its receipt, and an application had it`);
      }
      if (truth.moves === 0) history.require(count <= 1, () => `${tag} came ${count} times to the only node`);
      if (!receipt || isVolatile) continue;
      const isWell = receipt.fate === 'acknowledged';
      history.require(
        isWell === (outcome === 'acknowledged'),
        () => `${tag} is ${receipt.fate} and ${String(outcome)}`,
      );
      history.require(
        undelivered.length === (isWell ? 0 : 1),
        () => `${tag} is ${receipt.fate}, and was told undelivered ${undelivered.length} times`,
      );
    }
  }

  #had(tag: string): void {
    const { truth } = this.#options;
    const { history } = truth;
    const places = truth.downByTag.get(tag) ?? [];
    const place = places.find(({ sid }) => sid === this.#sid) ?? places.findLast(({ sid }) => this.#isOwn(sid));
    // a reply that nobody waits for any more is a message like any other
    if (tag.startsWith('re:')) return;
    history.note(`${this.id} gets ${tag}${place ? ` at ${place.position}` : ''}`);
    if (!place) {
      history.require(
        tag.startsWith('v') && !truth.flitted.has(tag),
        () => `${this.id} gets ${tag}, which is not kept`,
      );
      truth.flitted.add(tag);
      return;
    }
    const session = truth.session(place.sid);
    if (!session) return;
    this.#enter(place.sid);
    let next = session.downHad + 1;
    while (next < place.position && session.down[next - 1]?.isReply) next += 1;
    history.require(
      place.position === next,
      () => `${this.id} gets ${tag} at ${place.position}, and had up to ${session.downHad}`,
    );
    session.downHad = Math.max(session.downHad, place.position);
  }

  #isOwn(sid: string): boolean {
    return this.#options.truth.session(sid)?.wish.principal === this.id;
  }

  // the first message of another session
  #enter(sid: string): void {
    if (sid === this.#sid) return;
    const { history } = this.#options.truth;
    history.require(!this.#past.has(sid), () => `${this.id} gets a message of ${short(sid)}, which is over`);
    if (this.#sid !== undefined) {
      this.#past.add(this.#sid);
      history.require(this.#isToldOfLoss, () => `${this.id} is in ${short(sid)} and was not told that it lost another`);
    }
    this.#isToldOfLoss = false;
    this.#sid = sid;
  }

  #lost(why: string, inDoubt: number): void {
    const { truth } = this.#options;
    const { history } = truth;
    history.note(`${this.id} is told of a discontinuity: ${why}, ${inDoubt} in doubt`);
    this.#isToldOfLoss = true;
    this.#doubt = { at: history.at, told: inDoubt, seen: 0 };
    const own = [...truth.sessions.values()].filter(({ wish }) => wish.principal === this.id);
    const isExcused = own.some(({ excuses }: SessionTruth) => excuses.has(why));
    history.require(isExcused, () => `${this.id} lost its session for no reason: ${why}`);
  }

  #undelivered(messageId: string, error: MessageError): void {
    const { history } = this.#options.truth;
    const sent = this.#byReceipt.get(messageId);
    sent?.undelivered.push(error.code);
    if (sent?.isVolatile || error.outcome !== 'unknown') return;
    this.#doubt.seen += 1;
    history.require(
      this.#doubt.at === history.at && this.#doubt.seen <= this.#doubt.told,
      () => `${sent?.tag ?? messageId} is in doubt, and no session was lost: ${error.code}`,
    );
  }
}
