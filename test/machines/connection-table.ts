import { describe, expect, test } from 'vitest';

import type { ConnectionEvent } from '../../machines/facts.ts';
import { DEFAULT_POLICY } from '../../machines/policy.ts';
import {
  away,
  closed,
  connect,
  demanded,
  disconnect,
  granted,
  greeted,
  opened,
  plain,
  proven,
  refused,
  restore,
  stepped,
  succeeded,
  unreachable,
  WAYS,
  welcomed,
  type Leaf,
} from '../models/connection-cases.ts';
import { leafOf } from '../support/machine-graph.ts';

/** One line of the table of a chart: in a state, on an event, to a state, with these effects in this order. */
export type Row = readonly [given: Leaf, on: ConnectionEvent, next: Leaf, effects: readonly string[]];

/** What the beginning of an attempt does, and what the end of a connection does. */
export const begin = ['tell parent connection.active', 'start socket', 'start turn'];
const rest = ['tell parent connection.rested'];
export const close = [...rest, 'tell outbox resume'];
export const hold = ['emit retrying', 'arm retryDelay'];
export const retry = ['emit failed', ...hold];
export const giveUp = ['emit failed', 'emit gave.up', ...rest];

/** What leaving a state for one outside `live` ends. */
export const end = {
  queued: ['stop turn', 'stop socket'],
  authorizing: ['disarm credentialsTimeout', 'stop authorizer', 'stop turn', 'stop socket'],
  locating: ['disarm urlTimeout', 'stop locator', 'stop turn', 'stop socket'],
  dialing: ['disarm connectTimeout', 'stop turn', 'stop socket'],
  awaiting: ['disarm wireTimeout', 'stop negotiator', 'stop turn', 'stop socket'],
  introducing: ['disarm welcomeTimeout', 'stop negotiator', 'stop turn', 'stop socket'],
  greeting: ['disarm greetingTimeout', 'stop greeter', 'stop turn', 'stop socket'],
  established: ['disarm stablePeriod', 'stop health', 'tell outbox detached', 'stop traffic', 'stop socket'],
  draining: ['disarm drainTimeout', 'tell outbox detached', 'stop traffic', 'stop socket'],
  closing: ['disarm closeTimeout', 'stop socket'],
  backoff: ['disarm retryDelay'],
};

/** One event of each type that comes from outside, in the form most likely to be taken. */
const everyEvent: ConnectionEvent[] = [
  connect,
  restore,
  disconnect,
  granted,
  { type: 'credentials.resolved' },
  { type: 'credentials.failed', failure: refused },
  { type: 'url.resolved' },
  { type: 'url.failed', failure: unreachable },
  opened(1),
  greeted,
  { type: 'greeting.failed', failure: unreachable },
  proven,
  plain(),
  { type: 'negotiation.failed', failure: unreachable },
  welcomed(),
  away(),
  succeeded(2),
  { type: 'successor.failed' },
  demanded,
  { type: 'credentials.renewed' },
  { type: 'credentials.spent' },
  closed(1),
  { type: 'outbox.emptied' },
  { type: 'health.late' },
  { type: 'health.poor' },
  { type: 'health.graded', grade: 'healthy' },
  { type: 'health.recovered' },
  { type: 'health.dead' },
  { type: 'network.online' },
  { type: 'network.offline' },
  { type: 'page.visible' },
  { type: 'page.hidden' },
  { type: 'page.frozen' },
  { type: 'system.woke' },
  { type: 'policy.changed', policy: DEFAULT_POLICY },
];

/** Holds these states of the chart to their lines: what no line of theirs takes changes nothing. */
export function holdToTable(title: string, leaves: readonly Leaf[], lines: readonly Row[]): void {
  const rows = lines.map(([given, on, next, effects]) => ({ given, on, next, effects }));
  const ignored = leaves.flatMap((given) => {
    const taken = new Set(rows.filter((row) => row.given === given).map(({ on }) => on.type));
    return everyEvent.filter(({ type }) => !taken.has(type)).map((on) => ({ given, on }));
  });

  describe(title, () => {
    test.each(rows.map((row) => [`${row.given}, on ${row.on.type}, to ${row.next}`, row] as const))(
      'goes from %s',
      (_step, row) => {
        const { given, on, next, effects } = row;
        const { snapshot, effects: found } = stepped([...WAYS[given], on]);
        expect([leafOf(snapshot), found]).toEqual([next, effects]);
      },
    );

    test.each(ignored.map((row) => [`${row.given}, and does nothing, on ${row.on.type}`, row] as const))(
      'stays %s',
      (_step, { given, on }) => {
        const { snapshot, effects } = stepped([...WAYS[given], on]);
        expect([leafOf(snapshot), effects]).toEqual([given, []]);
      },
    );
  });
}
