import type { Emitter } from './core/emitter.ts';
import { isolated } from './core/isolation.ts';
import { ErrorHistory } from './error-history.ts';
import { FaultError, type HoldfastError } from './errors.ts';
import type { Emit, ServiceEvents, UndeliveredEvent } from './events.ts';
import { describeError, holdfastError } from './messages.ts';
import type { Settings } from './settings.ts';

export interface ErrorReporterOptions {
  emitter: Emitter<ServiceEvents>;
  settings: () => Settings;
  /** Epoch ms. */
  now: () => number;
}

/** Where everything passes that goes wrong in a service: it is recorded once, and told to those who asked to hear of it. */
export class ErrorReporter {
  readonly history: ErrorHistory;
  readonly #options: ErrorReporterOptions;

  constructor(options: ErrorReporterOptions) {
    this.#options = options;
    this.history = new ErrorHistory({ now: options.now, limit: () => options.settings().errorHistory });
  }

  /** Sends an event to the listeners; an error is recorded first. */
  readonly emit: Emit = (type, event) => {
    if (type === 'error') this.history.record(event as HoldfastError);
    this.#options.emitter.emit(type, event);
  };

  /** The application's code threw. */
  readonly report = (cause: unknown): void => {
    this.fault(new FaultError('LISTENER_THREW', { cause }));
  };

  /** A bug, told outside the turn, so that no machine waits for the application's handling of it. */
  fault(error: FaultError): void {
    this.history.record(error);
    queueMicrotask(() => {
      const { onError } = this.#options.settings().options;
      if (onError) isolated(onError, [error], ignore);
      else this.#options.emitter.emit('error', error, ignore);
    });
  }

  /** A message was not sent, or nobody knows. Told outside the turn: a message can find its end in the middle of an actor's. */
  readonly undelivered = (event: UndeliveredEvent): void => {
    this.history.record(event.error);
    const { emitter } = this.#options;
    if (!emitter.has('undelivered')) return;
    queueMicrotask(() => {
      emitter.emit('undelivered', event);
    });
  };

  /** What people are told of whatever was caught. */
  describe(caught: unknown): string {
    const error = holdfastError(caught);
    const { serviceType = '', category } = error;
    const { services, options } = this.#options.settings();
    return describeError(error, {
      label: services.get(serviceType)?.label ?? (serviceType || 'the service'),
      messages: options.userMessages,
      // of a bug that is described by its own reporter there would be no end
      report: category === 'fault' ? ignore : this.report,
    });
  }
}

// who handles bugs and has one is not told of it: that could go on for ever
function ignore(): void {}
