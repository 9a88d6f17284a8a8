import { messagesOf, Roll, STREAMS, type Payloads } from '../payloads.ts';
import { pour, type SettlingOutlet, type Shape } from '../turns.ts';
import type { Instruments } from './instruments.ts';
import { IS_VERIFYING } from './promises.ts';

/** Messages of a stream, those from a number on, up to another one but not that. */
export interface Span {
  stream: string;
  from: number;
  to: number;
}

/** So many messages a second, for so long. */
export interface Pace {
  perSecond: number;
  seconds: number;
}

/** What receiving them came to. */
export interface Arrival {
  /** When the last one came, on the clock that all ends have in common. */
  atMicros: number;
  /** Messages that are lost, came twice, out of order or with other contents. */
  faults: number;
}

/** How late messages were, each in µs, and how many were not the one that was next. */
export interface Delays {
  micros: number[];
  faults: number;
}

const ARRIVAL_MS = 45_000;
const REPETITION_MS = 200;
// a load, and the short one whose frames are counted
const KEPT_SPANS = 2;

/** Sends and receives messages at one end, in a process or a page of its own, and counts what that costs. */
export class Station {
  readonly #instruments: Instruments;
  #end: SettlingOutlet | undefined;
  #roll: Roll | undefined;
  // what is done with each message at present
  #take: (message: unknown) => void = () => undefined;
  #isComplete: Promise<number> = Promise.resolve(0);
  #arrived: (atMicros: number) => void = () => undefined;
  #delays: Delays = { micros: [], faults: 0 };
  #noted: { numbers: number[]; times: number[] } = { numbers: [], times: [] };
  // the last that were made, by what they are: what making them leaves to the collector is not to be measured in each round
  readonly #made = new Map<string, readonly object[]>();

  constructor(instruments: Instruments) {
    this.#instruments = instruments;
  }

  /** There is somebody to send to. */
  opened(end: SettlingOutlet): void {
    this.#end = end;
  }

  /** There is nobody any more, and nothing of them is kept. */
  closed(): void {
    this.#end = undefined;
    this.#roll = undefined;
    this.#take = () => undefined;
  }

  heard(message: unknown): void {
    this.#take(message);
  }

  /** These are to come, dealt out to so many connections. What that costs is counted from now on. */
  expect({ stream, from, to, lanes }: Span & { lanes: number }): void | Promise<void> {
    const { micros } = this.#instruments;
    const roll = new Roll(payloadsOf(stream), from, lanes);
    roll.expect(to, { isExact: IS_VERIFYING });
    this.#roll = roll;
    this.#isComplete = new Promise((resolve) => (this.#arrived = resolve));
    this.#take = (message) => {
      if (roll.take(message)) this.#arrived(micros());
    };
    return this.begin();
  }

  /** Resolves once they have come, or will not come any more. */
  async complete(): Promise<Arrival> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<number>((resolve) => {
      timer = setTimeout(() => {
        resolve(this.#instruments.micros());
      }, ARRIVAL_MS);
    });
    const atMicros = await Promise.race([this.#isComplete, late]);
    clearTimeout(timer);
    // what comes twice comes after the last one
    if (IS_VERIFYING) await new Promise((resolve) => setTimeout(resolve, REPETITION_MS));
    return { atMicros, faults: this.#roll?.faults ?? 0 };
  }

  /** Sends messages. @returns When it began to. */
  async pour({ stream, from, to, shape }: Span & { shape: Shape }): Promise<number> {
    const end = this.#present;
    const messages = this.#messages({ stream, from, to });
    await this.begin();
    const atMicros = this.#instruments.micros();
    await pour(end, messages, shape, this.#instruments.turn);
    await end.settled();
    return atMicros;
  }

  /** Sends messages at an even pace, each with the time at which it was due: what keeps its sender from sending makes it late as well. */
  async pace(pace: Pace): Promise<void> {
    const end = this.#present;
    const { turn } = this.#instruments;
    const send = (n: number, at: number): void => {
      end.send({ type: 'input', data: 'ls -la', n, at });
    };
    await this.#paced(pace, send, () => new Promise<void>(turn));
    await end.settled();
  }

  /** Sends at an even pace whatever becomes of the connection, and waits for a while until all is settled. @returns How many messages were accepted. */
  async insist({ settlingMs, ...pace }: Pace & { settlingMs: number }): Promise<number> {
    const end = this.#present;
    let accepted = 0;
    const send = (): void => {
      try {
        end.send({ type: 'input', data: 'ls -la', n: accepted });
        accepted += 1;
      } catch {
        // it was refused, and its sender knows
      }
    };
    await this.#paced(pace, send, (untilMs) => new Promise((resolve) => setTimeout(resolve, untilMs)));
    // a promise that is not kept is what is looked for then
    if (IS_VERIFYING) await end.settled();
    else
      await Promise.race([
        end.settled().catch(() => undefined),
        new Promise((resolve) => setTimeout(resolve, settlingMs)),
      ]);
    return accepted;
  }

  /** From now on writes down which messages come, and when; what is none of those that are sent has no number. */
  note(): void {
    const { micros } = this.#instruments;
    const noted: { numbers: number[]; times: number[] } = { numbers: [], times: [] };
    this.#noted = noted;
    this.#take = (message) => {
      const { type, data, n } = message as { type: string; data: string; n: number };
      noted.numbers.push(type === 'input' && data === 'ls -la' ? n : Number.NaN);
      noted.times.push(micros());
    };
  }

  /** What was written down; times in µs. */
  noted(): { numbers: number[]; times: number[] } {
    return this.#noted;
  }

  /** From now on counts how long after it was due each message came. They have numbers from 0. */
  time(): void {
    const { micros } = this.#instruments;
    const delays: Delays = { micros: [], faults: 0 };
    this.#delays = delays;
    this.#take = (message) => {
      const { n, at } = message as { n: number; at: number };
      if (n !== delays.micros.length) delays.faults += 1;
      delays.micros.push(micros() - at);
    };
  }

  delays(): Delays {
    return this.#delays;
  }

  /** Counts the time of the processor from now on. */
  begin(): void | Promise<void> {
    return this.#instruments.begin();
  }

  /** In µs, since it began. */
  cpuMicros(): number | Promise<number> {
    return this.#instruments.cpuMicros();
  }

  // sends what is due, with the time at which it was, and lets others run, until it is through. `rest` may take until the next is due
  async #paced(
    { perSecond, seconds }: Pace,
    send: (n: number, dueMicros: number) => void,
    rest: (untilMs: number) => Promise<unknown>,
  ): Promise<void> {
    const { micros } = this.#instruments;
    const all = perSecond * seconds;
    const began = micros();
    const microsApart = 1e6 / perSecond;
    for (let n = 0; n < all;) {
      const due = Math.min(all, (micros() - began) / microsApart);
      for (; n < due; n++) send(n, began + n * microsApart);
      await rest(Math.max(0, n * microsApart - (micros() - began)) / 1_000);
    }
  }

  #messages({ stream, from, to }: Span): readonly object[] {
    const key = `${stream}, ${from} to ${to}`;
    const known = this.#made.get(key);
    if (known) return known;
    const [oldest] = this.#made.keys();
    if (oldest !== undefined && this.#made.size >= KEPT_SPANS) this.#made.delete(oldest);
    const messages = messagesOf(payloadsOf(stream), from, to);
    this.#made.set(key, messages);
    return messages;
  }

  get #present(): SettlingOutlet {
    if (!this.#end) throw new Error('There is nobody to send to.');
    return this.#end;
  }
}

/** What each end does when it is asked to. */
export function ordersOf(station: Station) {
  return {
    expect: (what: Span & { lanes: number }) => station.expect(what),
    complete: () => station.complete(),
    pour: (what: Span & { shape: Shape }) => station.pour(what),
    pace: (how: Pace) => station.pace(how),
    insist: (how: Pace & { settlingMs: number }) => station.insist(how),
    time: () => {
      station.time();
    },
    delays: () => station.delays(),
    note: () => {
      station.note();
    },
    noted: () => station.noted(),
    begin: () => station.begin(),
    cpuMicros: () => station.cpuMicros(),
  };
}

function payloadsOf(stream: string): Payloads {
  const found = STREAMS.find(({ name }) => name === stream);
  if (!found) throw new Error(`No stream is called ${stream}.`);
  return found;
}
