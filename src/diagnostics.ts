import type { DiagnosticsOptions, DiagnosticsReport, DiagnosticStep, Verdict } from './diagnosis.ts';
import { ConnectionError, HoldfastError } from './errors.ts';
import type { Examination, ExaminationOptions } from './examination.ts';
import { check } from './core/rules.ts';
import { diagnosticsRule } from './schema.ts';
import { monotonicNow, type Clock } from './transport/clock.ts';

export interface DiagnosticsDeskOptions {
  clock: Clock;
  /** What is meant by the id of a connection or the name of a service type. @throws {HoldfastError} When it is neither. */
  subject: (target: string) => Subject;
}

/** What is to be examined. */
export interface Subject {
  connectionId: string | null;
  serviceType: string;
  /** What the examination needs to know of it, when it begins. */
  options: () => Omit<ExaminationOptions, 'clock' | 'signal'>;
}

interface Waiter {
  resolve(report: DiagnosticsReport): void;
  reject(error: HoldfastError): void;
}

interface Run {
  /** Aborted when its time is up, or nobody waits for it. */
  controller: AbortController;
  waiters: Set<Waiter>;
}

const DEADLINE_MS = 15_000;
const RANKS: readonly Verdict[] = ['skipped', 'passed', 'warning', 'failed'];

/** Diagnoses under way: one at a time for each connection, shared by whoever asks meanwhile. */
export class Diagnostics {
  readonly #clock: Clock;
  readonly #subject: DiagnosticsDeskOptions['subject'];
  readonly #runs = new Map<string, Run>();

  constructor({ clock, subject }: DiagnosticsDeskOptions) {
    this.#clock = clock;
    this.#subject = subject;
  }

  /**
   * Examines what is meant.
   *
   * @throws {HoldfastError} Rejects with what `subject` throws, `INVALID_OPTIONS`, `DIAGNOSTICS_ABORTED`; with `SERVICE_DESTROYED` when it is ended meanwhile.
   */
  async run(target: string, options: DiagnosticsOptions): Promise<DiagnosticsReport> {
    check(diagnosticsRule, options);
    return this.#shared(this.#subject(target), options);
  }

  #shared(subject: Subject, { signal, deadlineMs = DEADLINE_MS }: DiagnosticsOptions): Promise<DiagnosticsReport> {
    const { connectionId, serviceType } = subject;
    const key = connectionId === null ? `type ${serviceType}` : `connection ${connectionId}`;
    const abortion = (): ConnectionError =>
      new ConnectionError('DIAGNOSTICS_ABORTED', {
        ...(connectionId !== null && { connectionId }),
        serviceType,
        cause: signal?.reason as unknown,
      });
    if (signal?.aborted) return Promise.reject(abortion());
    const run = this.#runs.get(key) ?? this.#begin(key, subject, deadlineMs);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        signal?.removeEventListener('abort', aborted);
        run.waiters.delete(waiter);
        if (run.waiters.size === 0) run.controller.abort();
      };
      const waiter: Waiter = {
        resolve: (report) => {
          leave();
          resolve(report);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      const aborted = (): void => {
        waiter.reject(abortion());
      };
      signal?.addEventListener('abort', aborted);
      run.waiters.add(waiter);
    });
  }

  /** Ends them all: nothing is left of them. */
  end(): void {
    for (const run of this.#runs.values())
      for (const waiter of [...run.waiters]) waiter.reject(new HoldfastError('SERVICE_DESTROYED'));
  }

  #begin(key: string, subject: Subject, deadlineMs: number): Run {
    const controller = new AbortController();
    const run: Run = { controller, waiters: new Set() };
    this.#runs.set(key, run);
    const timer = this.#clock.setTimeout(() => {
      controller.abort();
    }, deadlineMs);
    const conclude = (tell: (waiter: Waiter) => void): void => {
      this.#clock.clearTimeout(timer);
      if (this.#runs.get(key) === run) this.#runs.delete(key);
      for (const waiter of [...run.waiters]) tell(waiter);
    };
    this.#examine(subject, controller.signal).then(
      (report) => {
        conclude((waiter) => {
          waiter.resolve(report);
        });
      },
      (cause: unknown) => {
        conclude((waiter) => {
          waiter.reject(new HoldfastError('INTERNAL_FAULT', { cause }));
        });
      },
    );
    // a run that nobody waits for any more is no company for who comes next
    controller.signal.addEventListener('abort', () => {
      if (run.waiters.size > 0) return;
      this.#clock.clearTimeout(timer);
      if (this.#runs.get(key) === run) this.#runs.delete(key);
    });
    return run;
  }

  async #examine(subject: Subject, signal: AbortSignal): Promise<DiagnosticsReport> {
    const { connectionId, serviceType } = subject;
    const startedAt = this.#clock.now();
    const begunAt = monotonicNow(this.#clock);
    // most applications never ask: it is loaded when it is wanted
    const { Examination: Examining } = await import('./examination.ts');
    const examination: Examination = new Examining({ ...subject.options(), clock: this.#clock, signal });
    const steps: DiagnosticStep[] = [];
    for await (const step of examination.steps())
      steps.push(Object.freeze({ ...step, facts: Object.freeze(step.facts) }));
    const worst = Math.max(...steps.map(({ verdict }) => RANKS.indexOf(verdict)));
    return Object.freeze({
      connectionId,
      serviceType,
      startedAt,
      durationMs: Math.round(Math.max(0, monotonicNow(this.#clock) - begunAt)),
      verdict: worst === 3 ? 'failed' : worst === 2 ? 'warning' : 'passed',
      steps: Object.freeze(steps),
    });
  }
}
