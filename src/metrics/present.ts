import type { ConnectionState, ConnectionStatus, Grade, HealthCounts } from '../index.ts';
import type { Reading } from './counts.ts';

/** What is known of the connections of one type of service at one moment. */
export interface Present {
  readonly service: string;
  readonly connections: readonly ConnectionStatus[];
  /** `null` where health is not monitored. */
  readonly health: HealthCounts | null;
}

/** Each has a series, also while it is 0: an alert needs one. */
const STATES = Object.keys({
  idle: true,
  connecting: true,
  open: true,
  degraded: true,
  backoff: true,
  closing: true,
  closed: true,
  failed: true,
} satisfies Record<ConnectionState, true>) as readonly ConnectionState[];

const GRADES = Object.keys({
  unknown: true,
  healthy: true,
  degraded: true,
  critical: true,
} satisfies Record<Grade, true>) as readonly Grade[];

/** The readings of what rises and falls. */
export function readingsOf({ service, connections, health }: Present): Reading[] {
  const waiting = connections.reduce((sum, { messages }) => sum + messages.waiting, 0);
  return [
    ...STATES.map((state): Reading => {
      const value = connections.filter((connection) => connection.state === state).length;
      return { metric: 'connections', labels: { service, state }, value };
    }),
    { metric: 'outboxMessages', labels: { service }, value: waiting },
    ...(health ? healthReadings(service, health) : []),
  ];
}

function healthReadings(service: string, health: HealthCounts): Reading[] {
  const { averageScore } = health;
  return [
    ...(averageScore === null ? [] : [{ metric: 'health' as const, labels: { service }, value: averageScore / 100 }]),
    ...GRADES.map((grade): Reading => {
      return { metric: 'healthConnections', labels: { service, grade }, value: health[grade] };
    }),
  ];
}
