import type { HealthCounts, OpenedEvent, RetryingEvent, StatusEvent, Traffic } from '../index.ts';
import type { HistogramKey } from './catalog.ts';
import { Counts, type Reading } from './counts.ts';
import { readingsOf } from './present.ts';
import type { MetricsOptions, MetricsSource } from './source.ts';

export interface CollectorOptions extends MetricsOptions {
  /** Hears of each measurement that is to be counted by its size, in seconds. */
  measured: (metric: HistogramKey, service: string, seconds: number) => void;
}

/** Of a service that has no connection at present. */
const NO_HEALTH: HealthCounts = { total: 0, healthy: 0, degraded: 0, critical: 0, unknown: 0, averageScore: null };

/** What a service does and has done, in numbers: hears what happens, and asks for what is whenever it is asked itself. */
export class Collector {
  readonly #source: MetricsSource;
  readonly #options: Required<CollectorOptions>;
  readonly #counts = new Counts();
  /** Every type of service that there has been anything of: each keeps its series. */
  readonly #services = new Set<string>();
  /** Of those the ones whose health is monitored: nobody counts the messages of the others either. */
  readonly #monitored = new Set<string>();
  /** When the connections that are connecting began to be, by id. */
  readonly #dialledAt = new Map<string, number>();
  /** The code of the first failure since each connection that is not open was, by id. */
  readonly #reasons = new Map<string, string>();
  readonly #removals: readonly (() => void)[];

  constructor(source: MetricsSource, options: CollectorOptions) {
    this.#source = source;
    const { measured, now = () => performance.now() } = options;
    this.#options = { measured, now };
    this.#removals = [
      source.on('status', (event) => {
        this.#moved(event);
      }),
      source.on('opened', (event) => {
        this.#opened(event);
      }),
      source.on('retrying', (event) => {
        this.#retrying(event);
      }),
      source.on('error', ({ serviceType: service = '', code: reason }) => {
        this.#counts.increment('errors', { service, reason });
      }),
      source.on('roundTrip', ({ serviceType, rttMs }) => {
        this.#measured('rtt', serviceType, rttMs);
      }),
    ];
  }

  /** What is counted and what is, now. */
  readings(): Reading[] {
    const connections = this.#source.getConnections();
    const health = new Map(Object.entries(this.#source.getHealthInfo().byService));
    const traffic = Object.entries(this.#source.getTraffic());
    for (const service of health.keys()) this.#monitored.add(service);
    for (const { serviceType } of connections) this.#services.add(serviceType);
    for (const [service] of traffic) this.#services.add(service);
    const present = [...this.#services].flatMap((service) => {
      const mine = connections.filter(({ serviceType }) => serviceType === service);
      const known = this.#monitored.has(service) ? NO_HEALTH : null;
      return readingsOf({ service, connections: mine, health: health.get(service) ?? known });
    });
    for (const [service, totals] of traffic) this.#countTraffic(service, totals);
    return [...present, ...this.#counts.readings];
  }

  /** Removes every listener. */
  stop(): void {
    for (const remove of this.#removals) remove();
  }

  #moved({ connectionId, serviceType: service, previous, current }: StatusEvent): void {
    this.#services.add(service);
    this.#counts.increment('transitions', { service, from: previous, to: current });
    const now = this.#options.now();
    const dialledAt = this.#dialledAt.get(connectionId);
    if (current === 'open' && dialledAt !== undefined) this.#measured('connectDuration', service, now - dialledAt);
    this.#dialledAt.delete(connectionId);
    if (current === 'connecting') this.#dialledAt.set(connectionId, now);
    if (current === 'closed' || current === 'failed') this.#reasons.delete(connectionId);
  }

  #opened({ connectionId, serviceType: service, isReconnect }: OpenedEvent): void {
    // a connection that moves to another server opens again, and nothing has failed
    const reason = this.#reasons.get(connectionId) ?? 'none';
    if (isReconnect) this.#counts.increment('reconnects', { service, reason });
    this.#reasons.delete(connectionId);
  }

  // what follows until it is open again are failures of its return
  #retrying({ connectionId, error }: RetryingEvent): void {
    if (error && !this.#reasons.has(connectionId)) this.#reasons.set(connectionId, error.code);
  }

  #measured(metric: HistogramKey, service: string, ms: number): void {
    if (Number.isFinite(ms) && ms >= 0) this.#options.measured(metric, service, ms / 1_000);
  }

  #countTraffic(service: string, { messagesOut, messagesIn, bytesOut, bytesIn, dropped }: Traffic): void {
    // what nobody counts is no 0
    if (this.#monitored.has(service) || messagesOut + messagesIn > 0) {
      this.#counts.raise('messages', { service, direction: 'out' }, messagesOut);
      this.#counts.raise('messages', { service, direction: 'in' }, messagesIn);
      this.#counts.raise('io', { service, direction: 'out' }, bytesOut);
      this.#counts.raise('io', { service, direction: 'in' }, bytesIn);
    }
    for (const [reason, total] of Object.entries(dropped)) {
      this.#counts.raise('droppedMessages', { service, reason }, total);
    }
  }
}
