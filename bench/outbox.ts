import { EnhancedWebSocketService } from 'holdfast';
import { LaneQueue, type Queueable } from '../src/core/queue.ts';
import { keepResults } from './keeping.ts';
import { NearSocket } from './near-socket.ts';
import { alone, type Measure } from './rounds.ts';
import type { Bar, FigureColumn, Section } from './section.ts';

const ROUNDS = 7;
const QUEUED = 200_000;
const ACCEPTED = 1_000;
const FILLINGS = 100;
const BYTES = 43;
const MOST_NANOS = 500;
const GOAL_NANOS = 200;

const COSTS: readonly FigureColumn[] = [
  { key: 'nanos', heading: 'ns/message', digits: 0 },
  { key: 'perSecond', heading: 'messages/s', digits: 0 },
];

/** What push, take and send cost where nothing flows. Writes `bench/results/outbox.*` as well. */
export async function benchOutbox(report: (section: Section) => void): Promise<void> {
  const sections = [queueCosts(), await acceptanceCosts()];
  for (const section of sections) report(section);
  keepResults(ACCOUNT, sections);
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
      bytes: BYTES,
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
    bars: [barOf('push', push.slice(1))],
  };
}

// paused, so that nothing of the way to the network is measured; never more at once than a queue holds by default
async function acceptanceCosts(): Promise<Section> {
  const service = new EnhancedWebSocketService({
    services: { main: { url: 'ws://127.0.0.1:1/' } },
    WebSocket: NearSocket,
  });
  const connection = service.connection(await service.connect({ serviceType: 'main' }));
  connection.pause();
  const texts = Array.from({ length: ACCEPTED }, (_, n) =>
    JSON.stringify({ type: 'input', data: 'ls -la', n: 100_000 + n }),
  );
  const measures: Measure[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    let ms = 0;
    for (let filling = 0; filling < FILLINGS; filling++) {
      ms += timed(() => {
        for (const text of texts) connection.send(text);
      });
      connection.purgeQueue();
      // as between the turns of any program: what is over by then is not collected while the next are sent
      await new Promise((resolve) => setImmediate(resolve));
    }
    measures.push(costs(ms, FILLINGS * ACCEPTED));
  }
  await service.destroy();
  return {
    title: `send() until it returns its receipt, ${FILLINGS} times ${ACCEPTED} messages of ${BYTES} bytes that wait`,
    figures: COSTS,
    results: [alone('send', measures.slice(1))],
    bars: [barOf('send', measures.slice(1))],
  };
}

function barOf(name: string, measures: readonly Measure[]): Bar {
  const value = alone(name, measures).values['nanos']?.median ?? Number.NaN;
  return { name: `${name}, ns`, value, most: MOST_NANOS, goal: GOAL_NANOS };
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

const ACCOUNT = {
  name: 'outbox',
  title: 'What it costs to queue a message',
  notes: `By the clock: medians, then the least and the most of ${ROUNDS} rounds. \`send\` is all that a caller waits for on a connection that is paused: the message is encoded, counted and queued, and has its receipt. From end to end, with sockets
and a server, it is measured by \`npm run bench\`.`,
};
