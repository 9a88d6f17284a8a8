/** A process of its own: clients of any library. */
import { candidateNamed } from './candidates.ts';
import { dealtOut, type ClientEnd } from './ends.ts';
import { memory, micros, processInstruments } from './instruments.ts';
import { obey } from './process.ts';
import { ordersOf, Station } from './station.ts';
import { trips } from './trips.ts';

interface Opening {
  name: string;
  url: string;
  form: 'json' | 'bytes';
  count: number;
  atOnce?: number;
}

const station = new Station(processInstruments());
let ends: ClientEnd[] = [];

const orders = {
  /** Opens connections, so many at once: one after the other, if nothing is said. Messages are dealt out to all of them in turn. */
  open: async ({ name, url, form, count, atOnce = 1 }: Opening) => {
    const candidate = candidateNamed(name);
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

export type ClientOrders = typeof orders;

obey(orders);
