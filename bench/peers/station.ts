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

const ARRIVAL_MS = 45_000;
const REPETITION_MS = 200;

/** Sends and receives messages at one end, in a process or a page of its own, and counts what that costs. */
export class Station {
  readonly #instruments: Instruments;
  #end: SettlingOutlet | undefined;
  #roll: Roll | undefined;
  // what is done with each message at present
  #take: (message: unknown) => void = () => undefined;
  #isComplete: Promise<number> = Promise.resolve(0);
  #arrived: (atMicros: number) => void = () => undefined;
  #delays: number[] = [];
  #noted: { numbers: number[]; times: number[] } = { numbers: [], times: [] };
  // of one stream, by the span that they are: what making them leaves to the collector is not to be measured in each round
  readonly #kept = { stream: '', spans: new Map<string, readonly object[]>() };

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
    const messages = this.#made(stream, from, to);
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
    const settled = IS_VERIFYING ? end.settled() : end.settled().catch(() => undefined);
    await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, settlingMs))]);
    return accepted;
  }

  /** From now on writes down which messages come, and when. */
  note(): void {
    const { micros } = this.#instruments;
    const noted: { numbers: number[]; times: number[] } = { numbers: [], times: [] };
    this.#noted = noted;
    this.#take = (message) => {
      noted.numbers.push((message as { n: number }).n);
      noted.times.push(micros());
    };
  }

  /** What was written down; times in µs. */
  noted(): { numbers: number[]; times: number[] } {
    return this.#noted;
  }

  /** From now on counts how long after it was due each message came. */
  time(): void {
    const { micros } = this.#instruments;
    const delays: number[] = [];
    this.#delays = delays;
    this.#take = (message) => {
      delays.push(micros() - (message as { at: number }).at);
    };
  }

  /** How long each was, in µs. */
  delays(): number[] {
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

  #made(stream: string, from: number, to: number): readonly object[] {
    const { spans } = this.#kept;
    if (stream !== this.#kept.stream) spans.clear();
    this.#kept.stream = stream;
    const span = `${from} to ${to}`;
    const messages = spans.get(span) ?? messagesOf(payloadsOf(stream), from, to);
    spans.set(span, messages);
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
