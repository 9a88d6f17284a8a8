import type { ConnectionStateName, RetryHold } from '../../machines/index.ts';

/** What an explanation is asked. `summary`: all of it, in short. */
export type Question = 'summary' | 'disconnects' | 'downtime' | 'losses';

/** What a log says of connections. Times are in ms since 1970, durations in ms; `null` is what is not known. All of it is plain JSON. */
export interface Explanation {
  question: Question;
  /** The moment asked about: nothing later is in here. */
  at: number | null;
  /** What was asked about; of what lies outside only how it led there is told. */
  from: number | null;
  to: number | null;
  /** Records that were read. */
  records: number;
  /** Lines that are no records, such as a torn last one. */
  unread: number;
  /** The times of the first and the last record that were taken; of those of actors, the earliest and the latest. */
  first: number | null;
  last: number | null;
  /** How often a process has begun to write. */
  runs: number;
  /** Whether the last record is that of an end. */
  isClosed: boolean;
  /** What the log says itself that it does not have. */
  gaps: { times: number; records: number; first: number | null; last: number | null };
  /** How often a process ended without a close, and the last ten times: its last record, and the next run, in between of which nothing is known. */
  interruptions: { times: number; last: { after: number; before: number }[] };
  /** How many actors have died, and the first of them. */
  died: number;
  deaths: Death[];
  connections: ConnectionAccount[];
  /** How many records are of connections that were not followed, because there were more than 1,000. */
  passedOver: number;
  /** The answer in sentences for people. No text of the log can end a line, or turn one around. */
  lines: string[];
}

/** An actor has died of a fault. */
export interface Death {
  at: number;
  actor: string;
  /** The name of the error. */
  error: string | null;
}

/** What has become of one connection. */
export interface ConnectionAccount {
  service: string;
  connection: string;
  state: StateAccount;
  /** How long it was in which state. */
  times: Partial<Record<ConnectionStateName, number>>;
  /** How long its state is known, or that it had no actor because that had died. */
  onRecordMs: number;
  /** How long it was down: from each loss to the next opening, or to a close by the application. What has not been open yet is not down. */
  downMs: number;
  /** `downMs` of `onRecordMs`, from 0 to 1. */
  downShare: number | null;
  /** Whether records of that time are missing: how it was there is not known, and in none of these times. */
  hasGaps: boolean;
  /** How many outages there were, and the last hundred. */
  disconnects: number;
  outages: Outage[];
  /** `null` where nothing was counted. */
  messages: MessagesAccount | null;
  /** How many messages are known to be lost one by one, and the first hundred; only at the level `messages`. */
  lost: number;
  losses: LostMessage[];
}

/** How a connection is at the end of what was read. */
export interface StateAccount {
  /** `null`: its actor has ended, or it is not known. */
  name: ConnectionStateName | null;
  since: number | null;
  /** Whether it came into the state at that time; it may have been in it for longer, or may have left it in a gap. */
  isCertain: boolean;
  /** Which socket, from 1. */
  generation: number | null;
  /** Why it is in that state: the last thing that went wrong, for one that is not open. */
  failure: FailureAccount | null;
  /** The wait for the next attempt. */
  wait: Wait | null;
}

/** A connection that was open and is not. */
export interface Outage {
  /** Since when it had been open. */
  openedAt: number | null;
  openMs: number | null;
  /** `false`: it was lost earlier, or in a gap: this is when it is first known. */
  isStartKnown: boolean;
  lostAt: number;
  /** Which socket was lost. */
  generation: number | null;
  failure: FailureAccount | null;
  /** Which wire was lost, where that is known: a plain one does not confirm what was sent. */
  wire: string | null;
  /** The type of the event that it was lost by. */
  event: string | null;
  /** Since when the peer was late, where it was. */
  lateSince: number | null;
  /** For how long nothing was heard after a probe, where that was the reason. */
  silentMs: number | null;
  /** Of each the first hundred. */
  waits: Wait[];
  attempts: Attempt[];
  attempted: number;
  /** When it was given up. */
  gaveUpAt: number | null;
  /** `null`: it is not over at the end of what was read. */
  end: OutageEnd | null;
  /** In the time asked about, so far; without what is not on record, of which `hasGap` says whether there is any. */
  durationMs: number;
  /** Whether records are missing in between. */
  hasGap: boolean;
  /** What is known of the messages before and after. */
  messages: { before: Counted | null; after: Counted | null };
}

export interface OutageEnd {
  at: number;
  /** `open`: again; `closed`: by the application; `stopped`: its actor was; `unrecorded`: the recording ended, or its process. */
  how: 'open' | 'closed' | 'stopped' | 'unrecorded';
  isCertain: boolean;
  /** The new socket. */
  generation: number | null;
  /** `none`: the wire has no sessions. */
  session: 'resumed' | 'new' | 'none' | null;
  /** The session that was lost: why, and how many messages it left in doubt. */
  lost: { why: string; inDoubt: number | null } | null;
}

/** A wait for the next attempt. */
export interface Wait {
  at: number;
  /** `null`: for as long as it takes. */
  ms: number | null;
  hold: RetryHold | null;
  /** Which retry of the episode it is for, from 1. */
  retry: number | null;
  /** At least so long, as the server asks or the rules do; 0 for nobody. */
  floorMs: number;
  /** What began it. */
  event: string | null;
  /** Whether it was drawn to be short. */
  isPrompt: boolean;
}

export interface Attempt {
  at: number;
  generation: number | null;
  /** `null`: it is not over at the end of what was read. */
  result: 'opened' | 'failed' | 'abandoned' | null;
  durationMs: number | null;
  failure: FailureAccount | null;
}

/** What went wrong, as the record says it. */
export interface FailureAccount {
  code: string;
  category: string | null;
  strategy: string | null;
  retryAfterMs: number;
  closure: { code: number | null; initiator: string | null; wasClean: boolean | null } | null;
  httpStatus: number | null;
}

/** Messages, as they were counted. */
export interface Counted {
  at: number;
  accepted: number;
  sent: number;
  acknowledged: number;
  dropped: number;
  unknown: number;
  /** Still. */
  waiting: number;
  /** Waiting when their process ended, by its last count: lost with it, unless they left after that. */
  stranded: number;
  refused: number;
  received: number;
}

/** Messages in the time asked about. */
export interface MessagesAccount extends Counted {
  droppedBy: Record<string, number>;
}

export interface LostMessage {
  at: number;
  id: string | null;
  /** `refused` was never accepted. */
  fate: 'dropped' | 'unknown' | 'refused';
  because: string | null;
}
