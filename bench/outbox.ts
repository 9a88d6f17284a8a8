import { LaneQueue, type Queueable } from '../src/core/queue.ts';
import { alone, interleaved, quantile, type Measure } from './rounds.ts';
import type { FigureColumn, Section } from './section.ts';
import { openConnection, openHoldfast, openRaw, type Sender } from './senders.ts';
import { startSink, type SinkProcess } from './sink-process.ts';

interface Load {
  /** Of each message, on the wire without its frame. */
  bytes: number;
  messages: number;
  /** How many are sent in one turn of the event loop. */
  perTurn: number;
}

const ROUNDS = 7;
const QUEUED = 200_000;
const ACCEPTED = 1_000;
const FILLINGS = 100;
const ROUND_TRIPS = 3_000;
// 43 bytes are what the other figures of the project are about
const LOADS: readonly Load[] = [
  { bytes: 43, messages: 40_000, perTurn: 100 },
  { bytes: 64, messages: 40_000, perTurn: 100 },
  { bytes: 64, messages: 20_000, perTurn: 10 },
  { bytes: 64, messages: 10_000, perTurn: 1 },
  { bytes: 1_024, messages: 20_000, perTurn: 100 },
  { bytes: 1_024, messages: 10_000, perTurn: 1 },
];

const COSTS: readonly FigureColumn[] = [
  { key: 'nanos', heading: 'ns/message', digits: 0 },
  { key: 'perSecond', heading: 'messages/s', digits: 0 },
];
// the capacity is what the busier of the two processes could take, were a whole core its own: it is less noisy than the speed
const SPEEDS: readonly FigureColumn[] = [
  { key: 'perSecond', heading: 'messages/s', digits: 0 },
  { key: 'clientMicros', heading: 'client CPU µs', digits: 2 },
  { key: 'serverMicros', heading: 'server CPU µs', digits: 2 },
  { key: 'capacity', heading: 'capacity/s', digits: 0 },
];
const LATENCIES: readonly FigureColumn[] = [
  { key: 'p50Micros', heading: 'p50 µs', digits: 1 },
  { key: 'p99Micros', heading: 'p99 µs', digits: 1 },
  { key: 'perSecond', heading: 'round trips/s', digits: 0 },
];

/** What push, take and send cost, the last beside a bare `ws` client in the same interleaved run. */
export async function benchOutbox(report: (section: Section) => void): Promise<void> {
  report(queueCosts());
  const sink = await startSink();
  try {
    report(await acceptanceCosts(sink));
    for (const load of LOADS) {
      const { bytes, messages, perTurn } = load;
      const run = (open: typeof openRaw) => () => flood(sink, open, load);
      report({
        title: `send end to end: ${bytes} bytes, ${perTurn} per turn, until the server has all ${messages}`,
        figures: SPEEDS,
        results: await interleaved(run(openRaw), [{ name: 'holdfast', run: run(openHoldfast) }], ROUNDS),
      });
    }
    for (const bytes of [64, 1_024]) {
      const run = (open: typeof openRaw) => () => roundTrips(sink, open, bytes);
      report({
        title: `round trips: ${bytes} bytes, ${ROUND_TRIPS} one after the other`,
        figures: LATENCIES,
        results: await interleaved(run(openRaw), [{ name: 'holdfast', run: run(openHoldfast) }], ROUNDS),
      });
    }
  } finally {
    sink.stop();
  }
}

interface Item extends Queueable<Item> {
  readonly payload: string;
}

function queueCosts(): Section {
  const [push, take]: [Measure[], Measure[]] = [[], []];
  for (let round = 0; round <= ROUNDS; round++) {
    const queue = new LaneQueue<Item>();
    const items = Array.from({ length: QUEUED }, (_, index): Item => ({
      payload: '',
      priority: index % 8 === 0 ? 'high' : 'normal',
      bytes: 43,
      previous: null,
      next: null,
    }));
    const pushing = timed(() => {
      for (const item of items) queue.push(item);
    });
    const taking = timed(() => {
      while (queue.take());
    });
    push.push(costs(pushing, QUEUED));
    take.push(costs(taking, QUEUED));
  }
  return {
    title: `the queue alone, ${QUEUED} messages in two lanes`,
    figures: COSTS,
    results: [alone('push', push.slice(1)), alone('take', take.slice(1))],
  };
}

// paused, so that nothing of the way to the network is measured; never more at once than a queue holds by default
async function acceptanceCosts(sink: SinkProcess): Promise<Section> {
  await sink.expect({ messages: 1, echo: false });
  const { connection, close } = await openConnection(sink.url);
  connection.pause();
  const texts = Array.from({ length: ACCEPTED }, (_, index) => textOf(index, 43));
  const measures: Measure[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    let ms = 0;
    for (let filling = 0; filling < FILLINGS; filling++) {
      ms += timed(() => {
        for (const text of texts) connection.send(text);
      });
      connection.purgeQueue();
    }
    measures.push(costs(ms, FILLINGS * ACCEPTED));
  }
  await close();
  return {
    title: `send() until it returns its receipt, ${FILLINGS} times ${ACCEPTED} messages of 43 bytes that wait`,
    figures: COSTS,
    results: [alone('send', measures.slice(1))],
  };
}

function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function costs(ms: number, messages: number): Measure<'nanos' | 'perSecond'> {
  const nanos = (ms * 1e6) / messages;
  return { nanos, perSecond: 1e9 / nanos };
}

type SpeedFigure = 'perSecond' | 'clientMicros' | 'serverMicros' | 'capacity';

async function flood(
  sink: SinkProcess,
  open: (url: string) => Promise<Sender>,
  { bytes, messages, perTurn }: Load,
): Promise<Measure<SpeedFigure>> {
  await sink.expect({ messages, echo: false });
  const sender = await open(sink.url);
  const complete = sink.complete();
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (let sent = 0; sent < messages;) {
    for (let count = 0; count < perTurn && sent < messages; count++) sender.send(textOf(sent++, bytes));
    await new Promise(setImmediate);
  }
  const serverMicros = (await complete) / messages;
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const clientMicros = (user + system) / messages;
  await sender.close();
  const capacity = 1e6 / Math.max(clientMicros, serverMicros);
  return { perSecond: (messages / wallMs) * 1_000, clientMicros, serverMicros, capacity };
}

async function roundTrips(
  sink: SinkProcess,
  open: (url: string) => Promise<Sender>,
  bytes: number,
): Promise<Measure<'p50Micros' | 'p99Micros' | 'perSecond'>> {
  await sink.expect({ messages: ROUND_TRIPS, echo: true });
  const sender = await open(sink.url);
  const complete = sink.complete();
  const micros: number[] = [];
  const start = performance.now();
  await new Promise<void>((resolve) => {
    let sentAt = performance.now();
    sender.onMessage(() => {
      const now = performance.now();
      micros.push((now - sentAt) * 1_000);
      if (micros.length === ROUND_TRIPS) {
        resolve();
        return;
      }
      sentAt = now;
      sender.send(textOf(micros.length, bytes));
    });
    sender.send(textOf(0, bytes));
  });
  const wallMs = performance.now() - start;
  await complete;
  await sender.close();
  return {
    p50Micros: quantile(micros, 0.5),
    p99Micros: quantile(micros, 0.99),
    perSecond: (ROUND_TRIPS / wallMs) * 1_000,
  };
}

function textOf(n: number, bytes: number): string {
  const text = `{"type":"input","data":"ls -la","n":${String(n).padStart(6, '1')}}`;
  return bytes === text.length ? text : `${text.slice(0, -1)},"p":"${'x'.repeat(bytes - text.length - 7)}"}`;
}
