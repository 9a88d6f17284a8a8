/** What an examination looks at, in this order. */
export type StepId = (typeof STEP_IDS)[number];

export type Verdict = 'passed' | 'warning' | 'failed' | 'skipped';

/** What was found at one step. */
export interface Finding {
  verdict: Verdict;
  /** For people, in a few words. */
  detail: string;
  /** The same for programs. */
  facts?: Readonly<Record<string, unknown>>;
  /** What could be done about it. */
  advice?: string;
}

export interface Step extends Finding {
  id: StepId;
  durationMs: number;
}

export interface Examination {
  /** Without credentials. */
  url: string;
  startedAt: string;
  durationMs: number;
  verdict: Exclude<Verdict, 'skipped'>;
  steps: readonly Step[];
}

export const STEP_IDS = [
  'address',
  'name',
  'network',
  'tls',
  'handshake',
  'subprotocol',
  'compression',
  'wire',
  'round-trip',
  'idle',
  'heartbeat',
  'close',
  'clock',
] as const;

/** The worst of what was found. */
export function verdictOf(steps: readonly Finding[]): Examination['verdict'] {
  const isThere = (verdict: Verdict): boolean => steps.some((step) => step.verdict === verdict);
  return isThere('failed') ? 'failed' : isThere('warning') ? 'warning' : 'passed';
}

/** Time as a person reads it: `0.4 ms`, `120 ms`, `4.20 s`, `120 s`. */
export function durationText(ms: number): string {
  if (ms >= 999.5) return `${(ms / 1_000).toFixed(ms < 99_995 ? 2 : 0)} s`;
  return `${ms < 9.95 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}

/** `1 day`, `2 days`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
