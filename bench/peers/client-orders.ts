import { dealtOut, type Candidate, type ClientEnd } from './ends.ts';
import { ordersOf, type Station } from './station.ts';
import { trips } from './trips.ts';

/** Connections to open, of the candidate with this name. */
interface Opening {
  name: string;
  url: string;
  form: 'json' | 'bytes';
  count: number;
  /** @default one after the other */
  atOnce?: number;
}

/** What a client runs in: a process, or a page. */
export interface Place {
  station: Station;
  find: (name: string) => Candidate;
  /** A time that all ends have in common, in µs. */
  micros: () => number;
  /** In bytes, when nothing is left to collect. */
  memory: () => Memory | Promise<Memory>;
}

interface Memory {
  heap: number;
  rss: number;
}

/** What a client of any library does when it is asked to. */
export function clientOrders({ station, find, micros, memory }: Place) {
  let ends: ClientEnd[] = [];
  return {
    /** Messages are dealt out to all connections in turn. */
    open: async ({ name, url, form, count, atOnce = 1 }: Opening) => {
      const candidate = find(name);
      const ears = {
        form,
        heard: (message: unknown) => {
          station.heard(message);
        },
      };
      let begun = 0;
      const lane = async (): Promise<void> => {
        while (begun++ < count) ends.push(await candidate.open(url, ears));
      };
      await Promise.all(Array.from({ length: Math.min(atOnce, count) }, lane));
      station.opened(dealtOut(ends));
    },
    close: async () => {
      const all = ends;
      ends = [];
      station.closed();
      await Promise.all(all.map((end) => end.close()));
    },
    ...ordersOf(station),
    memory,
    trips: async (how: { count: number; inFlight: number }) => {
      const [end] = ends;
      if (!end) throw new Error('There is nobody to ask.');
      const measured = await trips(end, how, micros);
      await end.settled();
      return measured;
    },
  };
}

export type ClientOrders = ReturnType<typeof clientOrders>;
