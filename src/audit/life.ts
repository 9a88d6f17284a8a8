import type { ConnectionStateName } from '../../machines/index.ts';
import type { ConnectionAccount, FailureAccount, OutageEnd, StateAccount, Wait } from './explanation.ts';
import {
  factsAfter,
  factsOf,
  failureOf,
  fieldsOf,
  freshFacts,
  numberOf,
  textOf,
  type ConnectionFacts,
} from './facts.ts';
import { msAfter, msBetween, msSum, type Instant } from './moments.ts';
import { Outages, type Loss } from './outages.ts';
import type { StartedRecord, StateRecord, StepRecord } from './record.ts';
import { holdOf, isUp, type WorldStates } from './states.ts';
import { Tally } from './tally.ts';

export interface LifeOptions {
  service: string;
  connection: string;
  from: number | null;
  states: WorldStates;
}

interface Place {
  name: ConnectionStateName | null;
  since: Instant;
  isCertain: boolean;
}

const RETRY = 'xstate.after.retryDelay.';
const MOVED = 'successor.welcomed';
const DEATH: FailureAccount = {
  ...{ code: 'INTERNAL_FAULT', category: 'fault', strategy: 'reconnect', retryAfterMs: 0 },
  closure: null,
  httpStatus: null,
};

/** What the records say of one connection, which may have had several actors one after the other. */
export class Life {
  readonly tally: Tally;
  readonly #options: LifeOptions;
  readonly #outages: Outages;
  readonly #times: Partial<Record<ConnectionStateName, number>> = {};
  #facts: ConnectionFacts = {};
  /** `null`: it has no actor, or its state is not known. */
  #place: Place | null = null;
  #openedAt: Instant | null = null;
  #generation: number | null = null;
  #wait: Wait | null = null;
  #lost: OutageEnd['lost'] = null;
  /** Of the socket that was last open. */
  #wire: string | null = null;
  #probedAt: Instant | null = null;
  /** Whether records are missing, and its state has not been on record again since. */
  #hasGap = false;
  /** Whether records are missing anywhere. */
  #hasGaps = false;
  /** How long it had no actor, because that had died. */
  #orphanedMs = 0;
  #spentUntil: Instant | null = null;

  constructor(options: LifeOptions) {
    this.#options = options;
    this.#outages = new Outages(options.from);
    this.tally = new Tally(options.from);
  }

  started(record: StartedRecord, at: Instant): void {
    this.#spend(at);
    // of one that has died this one takes the place; the end of another is not on record
    if (this.#place?.name) this.#outages.end(this.#endingAs('unrecorded', at, false));
    this.#facts = freshFacts();
    this.#generation = numberOf(record.generation);
    this.#enter(this.#options.states.of(record.to), at, true);
  }

  /** Its state is on record, whatever came before. */
  pose(record: StateRecord, at: Instant): void {
    this.#spend(at);
    const name = this.#options.states.of(record.to);
    const generation = numberOf(record.generation);
    this.#facts = factsOf(record.context);
    // another socket: what was open was lost meanwhile
    if (generation !== this.#generation) this.#openedAt = null;
    this.#generation = generation;
    if (!this.#place || this.#hasGap || this.#place.name !== name) this.#assume(name, at);
  }

  step(record: StepRecord, at: Instant): void {
    this.#spend(at);
    const { states } = this.#options;
    const before = states.of(record.from);
    if (!this.#place || this.#hasGap || this.#place.name !== before) this.#assume(before, at);
    this.#learn(record);
    this.#generation = numberOf(record.generation) ?? this.#generation;
    const after = states.of(record.to);
    this.#noteLoss(record);
    if (before !== after) this.#move({ record, before, after }, at);
    this.#noteWait(record, at);
  }

  /** Its health: an answer that is waited for shows in the state of its machine. */
  health(to: unknown, at: Instant): void {
    const heartbeat = fieldsOf(to)['heartbeat'];
    const isDoubted = Object.hasOwn(fieldsOf(heartbeat), 'doubted');
    // what is dead was doubted before
    if (isDoubted) this.#probedAt ??= at;
    else if (heartbeat !== 'dead') this.#probedAt = null;
  }

  /** Its actor died: another one may go on. */
  died(at: Instant): void {
    this.#spend(at);
    const { name } = this.#place ?? {};
    if (isUp(name ?? null)) this.#lose({ event: 'died', failure: DEATH, isStartKnown: true }, at);
    this.#enter(null, at, true);
  }

  /** Its actor was stopped, or is not recorded any longer. */
  ended(how: 'stopped' | 'unrecorded', at: Instant): void {
    this.#spend(at);
    this.#outages.tried({ result: 'abandoned', failure: null, generation: this.#generation }, at);
    this.#outages.end(this.#endingAs(how, at));
    if (this.#place?.name) this.#enter(null, at, how === 'stopped' && !this.#hasGap);
    this.#wait = null;
    if (how === 'unrecorded') this.tally.restart();
  }

  /** Records are missing since. */
  gap(since: Instant): void {
    this.#spend(since);
    this.#hasGap = true;
    this.#outages.gap();
  }

  counted(): void {
    this.#outages.counted(this.tally.total);
  }

  account(at: Instant): ConnectionAccount {
    this.#spend(at);
    const { service, connection } = this.#options;
    const times = Object.values(this.#times);
    const onRecordMs = times.reduce(msSum, this.#orphanedMs);
    const { outages, disconnects, downMs } = this.#outages.told;
    return {
      service,
      connection,
      state: this.#state(),
      times: this.#times,
      onRecordMs,
      downMs,
      downShare: onRecordMs > 0 ? Math.min(1, downMs / onRecordMs) : null,
      hasGaps: this.#hasGaps,
      disconnects,
      outages,
      messages: this.tally.account,
      lost: this.tally.lost,
      losses: this.tally.losses,
    };
  }

  #state(): StateAccount {
    const { name = null, since, isCertain = false } = this.#place ?? {};
    const isTroubled = name !== null && !isUp(name) && name !== 'idle';
    return {
      name,
      since: since?.at ?? null,
      isCertain: isCertain && !this.#hasGap,
      generation: this.#generation,
      failure: isTroubled ? failureOf(this.#facts.failure) : null,
      wait: name === 'backoff' ? this.#wait : null,
    };
  }

  // what led to a state was not seen
  #assume(name: ConnectionStateName | null, at: Instant): void {
    const wasUp = isUp(this.#place?.name ?? null);
    this.#hasGap = false;
    if (name === null) return;
    if (isUp(name)) {
      this.#outages.end(this.#endingAs('open', at, false));
      if (!wasUp) this.#openedAt = null;
    } else if (!this.#outages.isDown && this.#isRecovering(name, wasUp)) {
      this.#lose({ event: null, failure: failureOf(this.#facts.failure), isStartKnown: false }, at);
    } else if (isClosing(name)) this.#outages.end(this.#endingAs('closed', at, false));
    this.#enter(name, at, false);
  }

  // where nothing is known of before, one that waits for a retry is taken for one that was open
  #isRecovering(name: ConnectionStateName, wasUp: boolean): boolean {
    if (name !== 'backoff' && name !== 'failed' && name !== 'connecting') return false;
    const opens = numberOf(this.#facts.opens);
    return wasUp || (opens === null ? name !== 'connecting' && this.#place === null : opens > 0);
  }

  #learn({ context, event, transitions }: StepRecord): void {
    this.#facts = factsAfter(this.#facts, context);
    const { failure } = fieldsOf(event);
    // of a log that was cut only parts of it may have changed
    const isHeeded = Array.isArray(transitions) && transitions.length > 0;
    if (isHeeded && failureOf(this.#facts.failure) === null && failureOf(failure))
      this.#facts = { ...this.#facts, failure };
  }

  #noteLoss({ event }: StepRecord): void {
    const { lost } = fieldsOf(event);
    const why = textOf(fieldsOf(lost)['why']);
    if (why !== null) this.#lost = { why, inDoubt: numberOf(fieldsOf(lost)['inDoubt']) };
  }

  #move({ record, before, after }: Move, at: Instant): void {
    const failure = failureOf(this.#facts.failure);
    const generation = this.#generation;
    const type = textOf(fieldsOf(record.event)['type']);
    if (before === 'connecting' && after !== 'connecting') {
      const result = isUp(after) ? 'opened' : after === 'closed' ? 'abandoned' : 'failed';
      this.#outages.tried({ result, generation, failure: result === 'failed' ? failure : null }, at);
    }
    if (isUp(before) && after !== null && !isUp(after) && !isClosing(after)) {
      // one that moves to another socket has not failed
      this.#lose({ event: type, failure: type === MOVED ? null : failure, isStartKnown: true }, at);
    }
    if (after === 'connecting') this.#outages.tries(generation, at);
    if (after === 'failed') this.#outages.gaveUp(at.at);
    if (isUp(after) && !isUp(before)) {
      this.#openedAt = at;
      this.#outages.end(this.#endingAs('open', at));
      this.#lost = null;
    }
    if (isClosing(after)) this.#outages.end(this.#endingAs('closed', at));
    this.#enter(after, at, true);
  }

  #lose({ event, failure, isStartKnown }: Pick<Loss, 'event' | 'failure' | 'isStartKnown'>, at: Instant): void {
    const { name, since } = this.#place ?? {};
    const opened = this.#openedAt;
    this.#outages.begin(
      {
        openedAt: opened?.at ?? null,
        openMs: opened && isStartKnown ? msBetween(opened, at) : null,
        isStartKnown,
        generation: this.#generation,
        failure,
        wire: this.#wire,
        event,
        lateSince: name === 'degraded' && since ? since.at : null,
        silentMs: failure?.code === 'LINK_DEAD' && this.#probedAt ? msBetween(this.#probedAt, at) : null,
        before: this.tally.total,
      },
      at,
    );
    this.#openedAt = null;
    if (event !== MOVED) this.#lost = null;
  }

  #noteWait({ from, to, delays, event, transitions }: StepRecord, at: Instant): void {
    const hold = holdOf(to);
    const delay = (Array.isArray(delays) ? (delays as unknown[]) : []).find((one) =>
      textOf(fieldsOf(one)['event'])?.startsWith(RETRY),
    );
    if (hold === null || (delay === undefined && holdOf(from) === hold)) return;
    this.#wait = {
      at: at.at,
      ms: numberOf(fieldsOf(delay)['ms']),
      hold,
      retry: numberOf(this.#facts.retries),
      floorMs: numberOf(this.#facts.floorMs) ?? 0,
      event: textOf(fieldsOf(event)['type']),
      isPrompt: actionsOf(transitions).includes('drawPrompt'),
    };
    this.#outages.wait(this.#wait);
  }

  #endingAs(how: OutageEnd['how'], { at }: Instant, isCertain = true): OutageEnd {
    const { wire, isResumed } = this.#facts;
    const session =
      wire === 'plain' ? 'none' : wire === 'holdfast.v1' ? (isResumed === true ? 'resumed' : 'new') : null;
    const isOpen = how === 'open';
    return {
      at,
      how,
      isCertain,
      generation: isOpen ? this.#generation : null,
      session: isOpen ? session : null,
      lost: isOpen ? this.#lost : null,
    };
  }

  #enter(name: ConnectionStateName | null, at: Instant, isCertain: boolean): void {
    const isSame = this.#place !== null && this.#place.name === name && !isCertain;
    if (isUp(name)) this.#wire = textOf(this.#facts.wire);
    this.#place = { name, since: isSame && this.#place ? this.#place.since : at, isCertain };
    this.#hasGap = false;
  }

  #spend(at: Instant): void {
    const { name = null } = this.#place ?? {};
    const since = this.#spentUntil;
    this.#spentUntil = at;
    // in a gap it may have been anything
    if (since === null) return;
    const ms = msAfter(this.#options.from, since, at);
    this.#hasGaps ||= this.#hasGap && ms > 0;
    if (this.#hasGap) return;
    this.#outages.spend(ms);
    if (name !== null) this.#times[name] = msSum(this.#times[name] ?? 0, ms);
    else if (this.#outages.isDown) this.#orphanedMs = msSum(this.#orphanedMs, ms);
  }
}

interface Move {
  record: StepRecord;
  before: ConnectionStateName | null;
  after: ConnectionStateName | null;
}

function isClosing(name: ConnectionStateName | null): boolean {
  return name === 'closing' || name === 'closed';
}

function actionsOf(transitions: unknown): readonly unknown[] {
  if (!Array.isArray(transitions)) return [];
  return transitions.flatMap((transition) => {
    const { actions } = fieldsOf(transition);
    return Array.isArray(actions) ? (actions as unknown[]) : [];
  });
}
