/** How a step of a diagnosis ended: what was to be seen was; it was, with something to know; it was not; there was nothing to try. */
export type Verdict = 'passed' | 'warning' | 'failed' | 'skipped';

/** What is looked at, in this order. */
export const DIAGNOSTIC_STEPS = [
  'configuration',
  'reachability',
  'handshake',
  'subprotocol',
  'authentication',
  'roundTrip',
  'burst',
  'queue',
  'clock',
] as const;
/** What is looked at. */
export type DiagnosticStepId = (typeof DIAGNOSTIC_STEPS)[number];

/** One step of a diagnosis. */
export interface DiagnosticStep {
  id: DiagnosticStepId;
  verdict: Verdict;
  /** In ms. */
  durationMs: number;
  /** What was seen, for people. Never what the peer, the platform or a provider wrote; a subprotocol is named where the options offer it. */
  detail: string;
  /** The same in figures; times in ms. */
  facts: Readonly<Record<string, number | string | boolean | null>>;
}

/** What is wrong with a connection, or is not. Plain data. */
export interface DiagnosticsReport {
  /** `null` where a service type was asked about that has no such connection. */
  connectionId: string | null;
  serviceType: string;
  /** In ms since the epoch. */
  startedAt: number;
  durationMs: number;
  /** The gravest of the steps'. */
  verdict: Exclude<Verdict, 'skipped'>;
  steps: readonly DiagnosticStep[];
}

/** How long a diagnosis may take. */
export interface DiagnosticsOptions {
  /** Stops waiting for it; it is ended when nobody waits any more. */
  signal?: AbortSignal;
  /**
   * After this time, in ms, what is under way is a `warning`, and what was still to come `skipped`. At least 1. Whoever shares a diagnosis that another has begun has
   * that one's. @default 15_000
   */
  deadlineMs?: number;
}
