/** A process of its own: clients of any library. */
import { quantile } from '../rounds.ts';
import { candidateNamed } from './candidates.ts';
import type { ClientEnd } from './ends.ts';
import { obey } from './process.ts';
import { micros, ordersOf, Station } from './station.ts';

const station = new Station();
let ends: ClientEnd[] = [];

const orders = {
  /** Opens connections, one after the other. */
  open: async ({ name, url, form, count }: { name: string; url: string; form: 'json' | 'bytes'; count: number }) => {
    const candidate = candidateNamed(name);
    const ears = {
      form,
      heard: (message: unknown) => {
        station.heard(message);
      },
    };
    for (let opened = 0; opened < count; opened++) ends.push(await candidate.open(url, ears));
    const [first] = ends;
    if (first) station.opened(first);
  },
  close: async () => {
    const all = ends;
    ends = [];
    await Promise.all(all.map((end) => end.close()));
  },
  ...ordersOf(station),
  /** Asks so often, with so many questions that have no answer yet. Times in µs. */
  trips: async ({ count, inFlight }: { count: number; inFlight: number }) => {
    const [end] = ends;
    if (!end) throw new Error('There is nobody to ask.');
    const times: number[] = [];
    let asked = 0;
    let faults = 0;
    const lane = async (): Promise<void> => {
      while (asked < count) {
        const n = asked++;
        const at = micros();
        const answer = (await end.ask({ type: 'input', data: 'ls -la', n } as { n: number })) as { n?: number };
        times.push(micros() - at);
        if (answer.n !== n) faults += 1;
      }
    };
    station.begin();
    const began = micros();
    await Promise.all(Array.from({ length: inFlight }, lane));
    const seconds = (micros() - began) / 1e6;
    return { p50: quantile(times, 0.5), p99: quantile(times, 0.99), perSecond: count / seconds, faults };
  },
};

export type ClientOrders = typeof orders;

obey(orders);
