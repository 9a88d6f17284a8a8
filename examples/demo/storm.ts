import type { EnhancedWebSocketService } from 'holdfast';

import type { Account } from './account.ts';
import { Bursts } from './bursts.ts';
import type { Cable } from './cable.ts';
import { chanceOf } from './chance.ts';
import { BRISK, RETRY } from './client.ts';
import type { History } from './history.ts';
import { KILL_KINDS, KILLS_IN_ALL, type KillKind } from './kills.ts';
import { descents, missing, repeats } from './sequence.ts';
import { strike } from './strike.ts';
import type { Subject } from './subject.ts';
import { until } from './wait.ts';

const SETTLES_WITHIN_MS = 5_000;
const TELL_EVERY = 10;

/** What became of one stream of numbered messages, by what the application at its other end saw. */
export interface Flow {
  sent: number;
  /** How many came, those that came again not counted. */
  arrived: number;
  /** How many the sender's receipts call accepted. */
  acknowledged: number;
  lost: readonly number[];
  repeated: readonly number[];
  overtaken: readonly number[];
}

export const FLOW_NAMES = ['to the server', 'echoed', 'from the server'] as const;
export type FlowName = (typeof FLOW_NAMES)[number];

/** What a storm of kills led to. */
export interface Storm {
  seed: number;
  kills: Record<KillKind, number>;
  lastedMs: number;
  flows: Record<FlowName, Flow>;
  /** How many sockets the session went on with. */
  resumptions: number;
  /** How many sockets began another one. */
  freshStarts: number;
  /** From each loss of a socket in use to the next such socket. */
  recoveriesMs: readonly number[];
}

export interface StormOptions {
  service: EnhancedWebSocketService;
  account: Account;
  signal: AbortSignal;
  seed: number;
}

/** Kills the connections of a service while both sides send, then waits until everything has arrived. */
export async function storm(subject: Subject, cable: Cable, options: StormOptions): Promise<Storm> {
  const { service, account, signal, seed } = options;
  const { name, history, endpoint, ledger, news } = subject;
  const startedAt = performance.now();
  const openedBefore = history.openings.length;
  const kills = Object.fromEntries(KILL_KINDS.map((kind) => [kind, 0])) as Storm['kills'];
  const bursts = new Bursts(
    () => {
      subject.send();
    },
    chanceOf(seed + 1),
  );
  account.announce(`${name}: its link is cut ${KILLS_IN_ALL} times while both sides send`);
  account.tell(name, 'at random instants, in mid-handshake, twice in a row');
  // each change of its state would be 200 lines
  account.mute(name);
  // who is cut off five times a second, and waits longer each time, shows little
  service.updateConfig({ services: { [name]: { retry: BRISK } } });
  news.begin();
  endpoint.order({ type: 'speak', seed: seed + 2 });
  bursts.start();
  try {
    await strike(cable, {
      draw: chanceOf(seed),
      signal,
      killed: (kind) => {
        kills[kind] += 1;
        if (totalOf(kills) % TELL_EVERY > 0) return;
        const resumed = history.openings.length - openedBefore;
        account.tell(name, `${totalOf(kills)} kills, ${resumed} resumed: ${standing(subject)}`);
      },
    });
  } finally {
    bursts.stop();
  }
  subject.fallSilent();
  endpoint.order({ type: 'hush' });
  const isSettled = (): boolean => ledger.pending === 0 && ledger.isReturned && news.isSettled;
  await until(isSettled, { withinMs: SETTLES_WITHIN_MS, signal });
  service.updateConfig({ services: { [name]: { retry: RETRY } } });
  account.unmute(name);
  return {
    seed,
    kills,
    lastedMs: performance.now() - startedAt,
    flows: flowsOf(subject),
    ...returnsOf(history, openedBefore),
  };
}

/** How many connections were killed. */
export function totalOf(kills: Storm['kills']): number {
  return Object.values(kills).reduce((sum, times) => sum + times, 0);
}

function returnsOf(
  { openings, drops }: History,
  openedBefore: number,
): Pick<Storm, 'resumptions' | 'freshStarts' | 'recoveriesMs'> {
  const own = openings.slice(openedBefore);
  return {
    resumptions: own.filter(({ isResumed }) => isResumed).length,
    freshStarts: own.filter(({ isResumed }) => !isResumed).length,
    recoveriesMs: own.map(({ at }) => at - (drops.findLast((drop) => drop.at < at)?.at ?? at)),
  };
}

function flowsOf({ ledger, news }: Subject): Storm['flows'] {
  const { accepted, acknowledged, echoesConfirmed } = ledger.sums;
  const { said, confirmed } = news.sums;
  return {
    'to the server': flowOf(accepted, ledger.arrived, acknowledged),
    echoed: flowOf(accepted, ledger.returned, echoesConfirmed),
    'from the server': flowOf(said, news.arrived, confirmed),
  };
}

function flowOf(sent: number, arrived: readonly number[], acknowledged: number): Flow {
  return {
    sent,
    arrived: new Set(arrived).size,
    acknowledged,
    lost: missing(arrived, sent),
    repeated: repeats(arrived),
    overtaken: descents(arrived),
  };
}

// while messages are under way, one is lost for certain only when a later one is there
function standing({ ledger, news }: Subject): string {
  const streams = [ledger.arrived, ledger.returned, news.arrived];
  const count = (those: (numbers: readonly number[]) => readonly number[]): number =>
    streams.reduce((sum, numbers) => sum + those(numbers).length, 0);
  const lost = count((numbers) => missing(numbers, Math.max(0, ...numbers)));
  const overtaken = count(descents);
  const order = overtaken === 0 ? 'in order' : `${overtaken} out of order`;
  return `${count((numbers) => numbers)} came, ${lost} lost, ${count(repeats)} twice, ${order}`;
}
