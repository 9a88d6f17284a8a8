import type { WireMeta } from '../../src/protocol/frames.ts';
import type { OpenWish, StoredMessage } from '../../src/server/store.ts';
import { tagOf } from './tags.ts';

/** A message as it was seen under way, or kept. */
export interface Seen {
  tag: string;
  isReply: boolean;
  key: string | undefined;
  channel: string | undefined;
}

/** The tag of a message whose connection has left: all that it still has is its position. */
export const HOLLOW = tagOf(null);

/** What is true of one session, put together from everything that was seen of it. Positions begin at 1, lists at 0. */
export class SessionTruth {
  readonly wish: OpenWish;
  tokenHash: string;
  ep: string;
  gen = 0;
  /** The client's messages by position, as it sent them. */
  readonly up: Seen[] = [];
  /** Positions of the client's that some application had. */
  readonly upHad = new Set<number>();
  /** Positions of the client's that a server has said it refuses. */
  readonly upRefused = new Set<number>();
  /** Positions of the client's whose channel was gone, or the node with its queue, before an application had them. */
  readonly upBuried = new Set<number>();
  /** Up to here they had all that was acknowledged. */
  upSure = 0;
  /** The store has accepted everything up to here. */
  rx = 0;
  /** The same when each generation began. */
  readonly rxByGen = new Map<number, number>();
  /** What the store keeps for the client, and what it has forgotten since. */
  readonly kept: StoredMessage[] = [];
  readonly down: Seen[] = [];
  /** Up to here the client's application had them. */
  downHad = 0;
  /** Up to here the client has said so. */
  downTold = 0;
  /** What each channel was opened for, by its name. */
  readonly channels = new Map<string, string>();
  /** Channels that one of the two has ended. */
  readonly shut = new Set<string>();
  /** Why it may be over without anybody being to blame. */
  readonly excuses = new Set<string>();
  /** What its store has of it after a loss, until somebody takes that over. */
  copy: { rx: number; top: number } | undefined;
  /** Whether the store has it. */
  isKept = true;

  constructor(wish: OpenWish) {
    this.wish = wish;
    this.tokenHash = wish.tokenHash;
    this.ep = wish.ep;
  }

  /** Up to here the client's application had what is meant for it: no reply, and nothing of a channel that has ended. */
  get downReach(): number {
    let reach = this.downHad;
    while (this.#isPassedOver(this.down[reach])) reach += 1;
    return reach;
  }

  /** What a channel's queue held, or may have held, is gone; `channel` undefined: of every channel. */
  bury(channel?: string): void {
    this.up.forEach((seen, index) => {
      const isMeant = channel === undefined ? seen.channel !== undefined : seen.channel === channel;
      if (isMeant && !this.upHad.has(index + 1)) this.upBuried.add(index + 1);
    });
  }

  #isPassedOver(seen: Seen | undefined): boolean {
    return seen !== undefined && (seen.isReply || (seen.channel !== undefined && this.shut.has(seen.channel)));
  }
}

/** A message by what is in it and with it. */
export function seenOf(data: unknown, meta: WireMeta | undefined): Seen {
  return { tag: tagOf(data), isReply: meta?.re !== undefined, key: meta?.k, channel: meta?.c };
}

/** A name of a session as people read it. */
export function short(sid: string | undefined): string {
  return String(sid).slice(0, 5);
}
