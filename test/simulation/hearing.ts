import type { Connection, EnhancedWebSocketService } from '../../src/index.ts';
import type { History } from '../../src/testing/history.ts';
import { short, type SessionTruth } from './session-truth.ts';
import { tagOf } from './tags.ts';
import type { Truth } from './truth.ts';

export interface HearingOptions {
  service: EnhancedWebSocketService;
  truth: Truth;
  /** Who its sessions belong to. */
  principal: string;
}

/** What the application hears on one connection: every message once and in order, and that a session was lost before the next begins. */
export class Hearing {
  readonly id: string;
  readonly #options: HearingOptions;
  #sid: string | undefined;
  readonly #past = new Set<string>();
  #isToldOfLoss = false;

  constructor(id: string, options: HearingOptions) {
    const { service } = options;
    this.id = id;
    this.#options = options;
    service.on('discontinuity', ({ connectionId, why, inDoubt }) => {
      if (connectionId === id) this.#lost(why, inDoubt);
    });
    service.on('status', ({ connectionId, current }) => {
      // from its end on it takes no part in any session
      if (connectionId === id && (current === 'closed' || current === 'failed')) this.#sid = undefined;
    });
  }

  /** Whether the application had everything that is kept for its session. @returns What it lacks; `null` for nothing. */
  get lack(): string | null {
    const session = this.#options.truth.session(this.#sid);
    // after a loss the first message shows which session it is
    if (!session?.isKept || this.#isToldOfLoss) return null;
    const { downReach: reach, down } = session;
    return reach === down.length ? null : `${this.id} has ${reach} of ${down.length} messages`;
  }

  /** Hears what comes by a connection, and answers what asks. */
  listen(connection: Connection<unknown>): void {
    connection.subscribe((message) => {
      this.#had(message);
    });
    connection.onRequest((message) => {
      this.#had(message);
      return `re:${tagOf(message)}`;
    });
  }

  /**
   * A message may have been accepted or not: that is so of as many as were told with the loss of a session, in the same moment, and when its
   * channel ends. Who shares a session and is not connected just then is told of the loss later.
   */
  doubted(what: string): void {
    const { truth, principal } = this.#options;
    const { history } = truth;
    const doubt = truth.doubts.get(principal) ?? { at: -1, told: 0, seen: 0 };
    doubt.seen += 1;
    history.require(
      (doubt.at === history.at && doubt.seen <= doubt.told) || truth.dismissedAt.get(this.id) === history.at,
      () => `${what} is in doubt, and no session was lost`,
    );
  }

  #had(message: unknown): void {
    const { truth } = this.#options;
    const { history } = truth;
    const tag = tagOf(message);
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
    const { channel } = session.down[place.position - 1] ?? {};
    const service = channel === undefined ? this.#options.principal : session.channels.get(channel);
    history.require(service === this.id, () => `${this.id} gets ${tag}, which is for ${String(service)}`);
    history.require(
      place.position > session.downHad && place.position <= session.downReach + 1,
      () => `${this.id} gets ${tag} at ${place.position}, and had up to ${session.downHad}`,
    );
    session.downHad = Math.max(session.downHad, place.position);
  }

  #isOwn(sid: string): boolean {
    return this.#options.truth.session(sid)?.wish.principal === this.#options.principal;
  }

  // the first message of another session
  #enter(sid: string): void {
    const { history } = this.#options.truth;
    if (sid !== this.#sid) this.#begin(sid, history);
    this.#isToldOfLoss = false;
  }

  #begin(sid: string, history: History): void {
    history.require(!this.#past.has(sid), () => `${this.id} gets a message of ${short(sid)}, which is over`);
    if (this.#sid !== undefined) {
      this.#past.add(this.#sid);
      history.require(this.#isToldOfLoss, () => `${this.id} is in ${short(sid)} and was not told that it lost another`);
    }
    this.#sid = sid;
  }

  #lost(why: string, inDoubt: number): void {
    const { truth } = this.#options;
    const { history } = truth;
    history.note(`${this.id} is told of a discontinuity: ${why}, ${inDoubt} in doubt`);
    this.#isToldOfLoss = true;
    const { principal } = this.#options;
    if (principal === this.id) truth.doubts.set(principal, { at: history.at, told: inDoubt, seen: 0 });
    const own = [...truth.sessions.values()].filter(({ wish }) => wish.principal === principal);
    const isRefused = why === 'forbidden' && truth.dismissedAt.has(this.id);
    const isExcused = isRefused || own.some(({ excuses }: SessionTruth) => excuses.has(why));
    history.require(isExcused, () => `${this.id} lost its session for no reason: ${why}`);
  }
}
