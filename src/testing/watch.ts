import type { ServiceOptions } from '../index.ts';
import { DeadLinks, probeOf } from './dead-links.ts';
import { LONGEST_HEARTBEAT_MS, type Stage } from './stage.ts';

const MINUTE_MS = 60_000;
const SLACK_MS = 2_000;
// a connection may dial so often in a minute without anything that gives it hope, and so often more for each thing that does
const MOST_DIALS = 20;
const DIALS_FOR_HOPE = 4;
const MOST_ERRORS = 100;
// why no session is lost between two that keep the protocol
const NEVER = ['gap', 'ahead', 'forbidden'];

/** The times that a service goes by, in ms. */
interface Times {
  probe: number;
  retry: number;
  dial: number;
}

/** Looks on while a run goes on: no loop is hot, no dead link is taken for a living one, and what waits is bounded. */
export class Watch {
  /** The longest that a connection may need to be open again once nothing goes wrong, in ms. */
  readonly longestMs: number;
  readonly #stage: Stage;
  readonly #times: Times;
  readonly #mostWaiting: number;
  readonly #mostQueued: number;
  readonly #deadLinks: DeadLinks;
  // how many sockets there were, and hopes, at each look
  readonly #looks: { at: number; sockets: number; hopes: number }[] = [];
  #hopes = 0;
  // when the device had news, in ms of the run
  readonly #news = new Set<number>();
  // retries that come sooner than the backoff has them
  readonly #short: { at: number; what: string }[] = [];
  #wasStill = false;
  #wasHijacked = false;
  #wasDoubted = false;
  readonly #unsubscribe: () => void;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#deadLinks = new DeadLinks(stage);
    const { settings, service, device, history } = stage;
    this.#times = timesOf(settings);
    const { probe, retry, dial } = this.#times;
    this.longestMs = probe + 2 * (retry + dial);
    const { windowMessages = 2_048 } = typeof settings.wire === 'object' ? settings.wire : {};
    const { maxMessages = 1_000, overflow } = settings.queue ?? {};
    // some may wait outside, once more as many
    this.#mostQueued = overflow === 'wait' ? 2 * maxMessages : maxMessages;
    this.#mostWaiting = 2 * maxMessages + windowMessages;
    const hope = (): void => {
      this.#hopes += 1;
    };
    const { baseMs = 500, stableMs = 10_000 } = settings.retry ?? {};
    const openedAt = new Map<string, number>();
    service.on('opened', ({ connectionId }) => {
      openedAt.set(connectionId, history.at);
    });
    // a connection that was stable begins anew; one that opens and closes does not
    service.on('closed', ({ connectionId }) => {
      if (history.at - (openedAt.get(connectionId) ?? Infinity) >= stableMs) hope();
    });
    service.on('retrying', ({ connectionId, delayMs, attempt, waitingFor, error }) => {
      const isDrawn = waitingFor === 'delay' && attempt > 1 && strategyOf(error) === 'reconnect';
      // the news that may explain it is heard here after the service has heard it
      if (isDrawn && delayMs < baseMs)
        this.#short.push({ at: history.at, what: `${connectionId} waits ${delayMs} ms` });
    });
    service.on('status', ({ connectionId, previous, current }) => {
      // whoever connects again begins anew
      if (previous === 'closed' || previous === 'failed') hope();
      if (current === 'failed') history.require(this.#mayFail, () => `${connectionId} has failed, and had no reason`);
    });
    service.on('discontinuity', ({ connectionId, why }) => {
      history.require(!NEVER.includes(why) || this.#wasHijacked, () => `${connectionId} lost its session: ${why}`);
    });
    this.#unsubscribe = device.signals.subscribe(() => {
      this.#news.add(history.at);
      hope();
    });
  }

  look(): void {
    const { apps, device, isHijacked, credentials } = this.#stage;
    if (isHijacked) this.#wasHijacked = true;
    if (credentials !== 'fine') this.#wasDoubted = true;
    // who has just begun to run again is behind
    const isAwake = !device.isStill && !this.#wasStill;
    this.#wasStill = device.isStill;
    for (const app of apps) {
      app.checkBooks(this.#mostWaiting);
      app.checkQueue(this.#mostQueued);
      if (isAwake) app.checkRequests();
    }
    this.#countDials();
    this.#deadLinks.look(this.#longestStep);
    for (const { at, what } of this.#short.splice(0))
      this.#stage.history.require(this.#news.has(at), () => `${what} before another attempt, without any news`);
    const errors = this.#stage.service.getErrorHistory().length;
    this.#stage.history.require(errors <= MOST_ERRORS, () => `${errors} errors are remembered`);
  }

  // its retries were counted, somebody broke the protocol, or who it is was in doubt; with rules of the user's own, whatever those say
  get #mayFail(): boolean {
    const { retry, recovery } = this.#stage.settings;
    return retry?.maxRetries !== undefined || recovery !== undefined || this.#wasHijacked || this.#wasDoubted;
  }

  /** Looks no longer. */
  end(): void {
    this.#unsubscribe();
  }

  #countDials(): void {
    const { history, network, apps } = this.#stage;
    const now = { at: history.at, sockets: network.sockets.length, hopes: this.#hopes };
    this.#looks.push(now);
    while ((this.#looks[0]?.at ?? Infinity) < now.at - MINUTE_MS) this.#looks.shift();
    const [then = now] = this.#looks;
    const dials = now.sockets - then.sockets;
    // the delays that are drawn are half of the bound on the average
    const most =
      apps.length * (MOST_DIALS + (3 * MINUTE_MS) / this.#times.retry) + (now.hopes - then.hopes) * DIALS_FOR_HOPE;
    history.require(
      dials <= most,
      () => `${dials} dials within a minute, and ${now.hopes - then.hopes} reasons for hope`,
    );
  }

  // what happens between two looks is seen at the second
  get #longestStep(): number {
    const [one, other] = this.#looks.slice(-2);
    return one && other ? other.at - one.at : 0;
  }
}

function strategyOf(error: unknown): unknown {
  return (error as { strategy?: unknown } | null)?.strategy;
}

function timesOf({ heartbeat, retry = {}, connectTimeoutMs = 10_000 }: ServiceOptions): Times {
  const { capMs = 30_000 } = retry;
  // the application may set another heartbeat on the way
  return { probe: Math.max(probeOf(heartbeat), LONGEST_HEARTBEAT_MS) + SLACK_MS, retry: capMs, dial: connectTimeoutMs };
}
