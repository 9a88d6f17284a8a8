import { refusesWire } from './core/recovery-table.ts';
import type { WireName } from '../machines/facts.ts';
import type { TransportEnd } from './transport/transport.ts';

// as long as a deployment may take to change what a server speaks
const REMEMBERED_MS = 30 * 60_000;
const MOST = 1_000;
// a server that is down for a moment still speaks what it spoke
const MOST_FAILURES = 3;
// source: PROTOCOL.md, "Close codes"
const WIRE_CODES = { first: 4000, last: 4399 };

/** Which wire worked where, for a while: so that not every connection has to find out anew. One for a service. */
export class WireMemory {
  readonly #now: () => number;
  // the oldest first
  readonly #known = new Map<string, { wire: WireName; until: number; failures: number }>();

  /** `now` in ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** This wire worked at a URL. */
  remember(url: string, wire: WireName): void {
    const place = placeOf(url);
    this.#known.delete(place);
    this.#known.set(place, { wire, until: this.#now() + REMEMBERED_MS, failures: 0 });
    if (this.#known.size <= MOST) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }

  /**
   * A socket to a URL has ended, or was refused. Whatever it was to speak is not known to work there any more if the server refuses what was asked for; plain also after an end that only a server
   * of `holdfast.v1` has, and after the third time in a row that it did not open. Browsers do not say why a handshake fails.
   */
  ended(
    url: string,
    { code, status, wasOpen, wire }: Pick<TransportEnd, 'code' | 'status'> & { wasOpen: boolean; wire: WireName },
  ): void {
    const known = this.#known.get(placeOf(url));
    if (known?.wire !== wire) return;
    known.failures = wasOpen ? 0 : known.failures + 1;
    const isForeign = known.failures >= MOST_FAILURES || (code >= WIRE_CODES.first && code <= WIRE_CODES.last);
    if (refusesWire(status) || (wire === 'plain' && isForeign)) this.#known.delete(placeOf(url));
  }

  /** Which wire worked at a URL lately; `undefined` when that is not known. */
  recall(url: string): WireName | undefined {
    const place = placeOf(url);
    const known = this.#known.get(place);
    if (known && known.until > this.#now()) return known.wire;
    this.#known.delete(place);
    return undefined;
  }
}

// what follows the path may hold a token, and changes with it
function placeOf(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
