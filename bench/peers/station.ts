import { messagesOf, Roll, STREAMS, type Payloads } from '../payloads.ts';
import { pour, type Shape } from '../turns.ts';
import type { End } from './ends.ts';

/** Messages of a stream, those from a number on, up to another one but not that. */
export interface Span {
  stream: string;
  from: number;
  to: number;
}

/** What receiving them came to. */
export interface Arrival {
  /** When the last one came, on the clock of {@link micros}. */
  atMicros: number;
  /** Messages that are lost, came twice, out of order or with other contents. */
  faults: number;
}

const ARRIVAL_MS = 45_000;

/** Sends and receives messages at one end, in a process of its own, and counts what that costs. */
export class Station {
  #end: End | undefined;
  #roll: Roll | undefined;
  #isComplete: Promise<number> = Promise.resolve(0);
  #arrived: (atMicros: number) => void = () => undefined;
  #cpu = process.cpuUsage();
  #delays: number[] | undefined;
  #noted: { numbers: number[]; times: number[] } | undefined;

  /** There is somebody to send to. */
  opened(end: End): void {
    this.#end = end;
  }

  heard(message: unknown): void {
    if (this.#noted) {
      this.#noted.numbers.push((message as { n: number }).n);
      this.#noted.times.push(micros());
    } else if (this.#delays) this.#delays.push(micros() - (message as { at: number }).at);
    else if (this.#roll?.take(message)) this.#arrived(micros());
  }

  /** These are to come. */
  expect({ stream, from, to }: Span): void {
    this.#roll = new Roll(payloadsOf(stream), from);
    this.#roll.expect(to, { isExact: false });
    this.#isComplete = new Promise((resolve) => (this.#arrived = resolve));
  }

  /** Resolves once they have come, or will not come any more. */
  async complete(): Promise<Arrival> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<number>((resolve) => {
      timer = setTimeout(() => {
        resolve(micros());
      }, ARRIVAL_MS);
    });
    const atMicros = await Promise.race([this.#isComplete, late]);
    clearTimeout(timer);
    return { atMicros, faults: this.#roll?.faults ?? 0 };
  }

  /** Sends messages. @returns When it began to. */
  async pour({ stream, from, to, shape }: Span & { shape: Shape }): Promise<number> {
    const end = this.#present;
    const messages = messagesOf(payloadsOf(stream), from, to);
    this.#cpu = process.cpuUsage();
    const atMicros = micros();
    await pour(end, messages, shape);
    await end.settled();
    return atMicros;
  }

  /** Sends messages at an even pace, each with the time at which it left. */
  async pace({ perSecond, seconds }: { perSecond: number; seconds: number }): Promise<void> {
    const end = this.#present;
    const began = micros();
    for (let n = 0; n < perSecond * seconds;) {
      const due = Math.min(perSecond * seconds, ((micros() - began) / 1e6) * perSecond);
      for (; n < due; n++) end.send({ type: 'input', data: 'ls -la', n, at: micros() });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await end.settled();
  }

  /** Sends at an even pace whatever becomes of the connection, and waits for a while until all is settled. @returns How many messages were accepted. */
  async insist({ perSecond, seconds, settlingMs }: { perSecond: number; seconds: number; settlingMs: number }) {
    const end = this.#present;
    const began = micros();
    let accepted = 0;
    for (let n = 0; n < perSecond * seconds;) {
      const due = Math.min(perSecond * seconds, ((micros() - began) / 1e6) * perSecond);
      for (; n < due; n++) {
        try {
          end.send({ type: 'input', data: 'ls -la', n: accepted });
          accepted += 1;
        } catch {
          // it was refused, and its sender knows
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.race([
      end.settled().catch(() => undefined),
      new Promise((resolve) => setTimeout(resolve, settlingMs)),
    ]);
    return accepted;
  }

  /** From now on writes down which messages come, and when. */
  note(): void {
    this.#noted = { numbers: [], times: [] };
  }

  /** What was written down; times in µs. */
  noted(): { numbers: number[]; times: number[] } {
    const noted = this.#noted ?? { numbers: [], times: [] };
    this.#noted = undefined;
    return noted;
  }

  /** From now on counts how long each message was on its way. */
  time(): void {
    this.#delays = [];
  }

  /** How long each was, in µs. */
  delays(): number[] {
    const delays = this.#delays ?? [];
    this.#delays = undefined;
    return delays;
  }

  /** Counts the time of the processor from now on. */
  begin(): void {
    this.#cpu = process.cpuUsage();
  }

  /** In µs, since it began. */
  cpuMicros(): number {
    const { user, system } = process.cpuUsage(this.#cpu);
    return user + system;
  }

  get #present(): End {
    if (!this.#end) throw new Error('There is nobody to send to.');
    return this.#end;
  }
}

/** A time that all processes of a machine have in common. */
export function micros(): number {
  return Number(process.hrtime.bigint()) / 1_000;
}

/** What a process takes when nothing is left to collect, in bytes. */
export function memory(): { heap: number; rss: number } {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed: heap, rss } = process.memoryUsage();
  return { heap, rss };
}

function payloadsOf(stream: string): Payloads {
  const found = STREAMS.find(({ name }) => name === stream);
  if (!found) throw new Error(`No stream is called ${stream}.`);
  return found;
}
