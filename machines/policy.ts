import type { RecoveryRule } from '../src/core/recovery.ts';
import { MAX_DELAY_MS, type BackoffPolicy } from '../src/core/backoff.ts';
import type { HeartbeatPolicy } from './health.ts';

/** What the chart of a connection decides by. Plain data: `null` stands for "no limit" and "off", for JSON has no Infinity. */
export interface ConnectionPolicy {
  credentialsTimeoutMs: number;
  urlTimeoutMs: number;
  connectTimeoutMs: number;
  /** Which wire is wanted: holdfast.v1 and no other, holdfast.v1 if the server speaks it, or plain. */
  wire: WireChoice;
  /** How long the server may take to prove that it speaks holdfast.v1. */
  wireTimeoutMs: number;
  /** From the hello to the welcome. */
  welcomeTimeoutMs: number;
  greetingTimeoutMs: number;
  /** What waits when the application closes may take this long to leave. */
  drainTimeoutMs: number;
  closeTimeoutMs: number;
  /** How long a connection must stay open before its loss begins a new episode of retries. */
  stableMs: number;
  /** Retries in one episode before giving up. */
  maxRetries: number | null;
  /** Retries after failures of the credentials provider in a row, before giving up. */
  maxCredentialsRetries: number | null;
  /** How often in one episode the peer may refuse credentials and fresh ones be tried; `null`: there is nobody to ask for fresh ones. */
  maxRejections: number | null;
  /** What failures lead to, asked before the default table. */
  rules: readonly RecoveryRule[];
  backoff: BackoffPolicy;
  heartbeat: HeartbeatPolicy | null;
  /** Whether the quality of links is measured. */
  isGraded: boolean;
}

/** Which wire a service wants. */
export const WIRE_CHOICES = ['required', 'prefer', 'plain'] as const;
/** Which wire a service wants: see the option `wire`. */
export type WireChoice = (typeof WIRE_CHOICES)[number];

/** How a link is watched when nothing else is said. */
export const DEFAULT_HEARTBEAT: HeartbeatPolicy = {
  intervalMs: 25_000,
  promptMs: 1_000,
  lateMs: 2_500,
  timeoutMs: 10_000,
};

/** The policy of a connection that is given no other; the options' defaults are these. */
export const DEFAULT_POLICY: ConnectionPolicy = {
  credentialsTimeoutMs: 10_000,
  urlTimeoutMs: 10_000,
  connectTimeoutMs: 10_000,
  wire: 'plain',
  wireTimeoutMs: 3_000,
  welcomeTimeoutMs: 10_000,
  greetingTimeoutMs: 3_000,
  drainTimeoutMs: 2_000,
  closeTimeoutMs: 2_000,
  stableMs: 10_000,
  maxRetries: null,
  maxCredentialsRetries: null,
  maxRejections: null,
  rules: [],
  backoff: { baseMs: 500, capMs: 30_000, promptMs: 200, offlineMs: 30_000, hiddenMs: 30_000 },
  heartbeat: DEFAULT_HEARTBEAT,
  isGraded: true,
};

/** The delays of the chart, in ms, by name. */
export const DELAYS = {
  credentialsTimeout: ({ context }: Decided) => context.policy.credentialsTimeoutMs,
  urlTimeout: ({ context }: Decided) => context.policy.urlTimeoutMs,
  connectTimeout: ({ context }: Decided) => context.policy.connectTimeoutMs,
  wireTimeout: ({ context }: Decided) => context.policy.wireTimeoutMs,
  welcomeTimeout: ({ context }: Decided) => context.policy.welcomeTimeoutMs,
  greetingTimeout: ({ context }: Decided) => context.policy.greetingTimeoutMs,
  drainTimeout: ({ context }: Decided) => context.policy.drainTimeoutMs,
  closeTimeout: ({ context }: Decided) => context.policy.closeTimeoutMs,
  stablePeriod: ({ context }: Decided) => context.policy.stableMs,
  departure: ({ context }: Decided) => context.departureMs,
  attemptTimeout: ({ context: { policy } }: Decided) =>
    Math.min(
      MAX_DELAY_MS,
      policy.credentialsTimeoutMs +
        policy.urlTimeoutMs +
        policy.connectTimeoutMs +
        policy.wireTimeoutMs +
        policy.welcomeTimeoutMs,
    ),
  retryDelay: ({ context }: Decided) => context.retryDelayMs,
};

interface Decided {
  context: { policy: ConnectionPolicy; retryDelayMs: number; departureMs: number };
}
