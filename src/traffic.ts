import type { Totals } from './core/rates.ts';
import type { Traffic } from './health-info.ts';
import type { Member } from './member.ts';

const NOTHING: Traffic = { messagesOut: 0, messagesIn: 0, bytesOut: 0, bytesIn: 0, dropped: {} };

/** What the connections of a service have carried, by service type; also those that are forgotten. */
export class TrafficLedger {
  readonly #retired = new Map<string, Traffic>();

  /** A connection is about to be forgotten. */
  retire(member: Member): void {
    add(this.#retired, member);
  }

  /** The sums, with those of these connections. */
  totals(members: Iterable<Member>): Record<string, Traffic> {
    const sums = new Map(this.#retired);
    for (const member of members) add(sums, member);
    return Object.fromEntries(sums);
  }
}

function add(sums: Map<string, Traffic>, { connection: { serviceType }, ports, monitor }: Member): void {
  const sum = sums.get(serviceType) ?? NOTHING;
  const { messagesOut, messagesIn, bytesOut, bytesIn }: Totals = monitor()?.totals ?? NOTHING;
  const dropped = new Map(Object.entries(sum.dropped));
  for (const [code, count] of Object.entries(ports.outbox.counts.droppedBy))
    dropped.set(code, (dropped.get(code) ?? 0) + count);
  const total: Traffic = {
    messagesOut: sum.messagesOut + messagesOut,
    messagesIn: sum.messagesIn + messagesIn,
    bytesOut: sum.bytesOut + bytesOut,
    bytesIn: sum.bytesIn + bytesIn,
    dropped: Object.freeze(Object.fromEntries(dropped)),
  };
  // what is kept is given out as well
  sums.set(serviceType, Object.freeze(total));
}
