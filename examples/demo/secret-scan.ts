import { inspect } from 'node:util';
import type { EnhancedWebSocketService, ServiceEvents } from 'holdfast';

/** Where secrets are looked for. */
export const PLACES = ['line', 'event', 'inspection event', 'audit record'] as const;
export type Place = (typeof PLACES)[number];

// as a record, so that the compiler misses none
const EVENTS: Record<keyof ServiceEvents, true> = {
  opened: true,
  discontinuity: true,
  closed: true,
  retrying: true,
  gaveUp: true,
  escalated: true,
  status: true,
  flow: true,
  overflowed: true,
  undelivered: true,
  settled: true,
  message: true,
  health: true,
  roundTrip: true,
  error: true,
};

/** Looks for secrets in all that anybody may read. */
export class SecretScan {
  /** How many texts were searched. */
  readonly searched: Record<Place, number> = {
    line: 0,
    event: 0,
    'inspection event': 0,
    'audit record': 0,
  };
  /** Each place in which a secret was found, and how often. */
  readonly found = new Map<Place, number>();
  readonly #secrets: string[] = [];

  /** How many secrets are looked for. */
  get planted(): number {
    return this.#secrets.length;
  }

  plant(secret: string): void {
    this.#secrets.push(secret);
  }

  search(place: Place, text: string): void {
    this.searched[place] += 1;
    if (this.#secrets.some((secret) => text.includes(secret))) this.found.set(place, (this.found.get(place) ?? 0) + 1);
  }

  /** Searches something that was told, as an application would log it: as JSON, and as Node shows it, with the causes of errors. */
  searchTold(told: unknown): void {
    this.search('event', `${JSON.stringify(told)}\n${inspect(told, { depth: Infinity })}`);
  }

  /** Searches whatever a service tells from now on. */
  follow(service: EnhancedWebSocketService): void {
    for (const event of Object.keys(EVENTS) as (keyof ServiceEvents)[]) {
      service.on(event, (payload) => {
        this.searchTold(payload);
      });
    }
    service.system.inspect((event) => {
      this.search('inspection event', JSON.stringify(event));
    });
  }
}
