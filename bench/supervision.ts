import { EnhancedWebSocketService } from 'holdfast';
import { alone, type Measure } from './rounds.ts';
import type { FigureColumn, Section } from './section.ts';

const SIZES = [100, 1_000, 10_000];
const ROUNDS = 3;

const COSTS: readonly FigureColumn[] = [
  { key: 'startMicros', heading: 'start µs/connection', digits: 1 },
  { key: 'destroyMicros', heading: 'destroy µs/connection', digits: 1 },
];

/** A socket that never opens, and closes when it is told to. */
class SilentSocket {
  readyState = 0;
  bufferedAmount = 0;
  protocol = '';
  binaryType = 'blob';
  readonly #listeners = new Map<string, Set<(event: object) => void>>();

  addEventListener(type: string, listener: (event: object) => void): void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
  }

  removeEventListener(type: string, listener: (event: object) => void): void {
    this.#listeners.get(type)?.delete(listener);
  }

  send(): void {
    // nobody listens
  }

  close(): void {
    this.readyState = 3;
    for (const listener of [...(this.#listeners.get('close') ?? [])])
      listener({ code: 1006, reason: '', wasClean: false });
  }
}

/** What each of many connections costs that all want to open, from the wish to its place in the queue or its socket, and at the end. */
export async function benchSupervision(report: (section: Section) => void): Promise<void> {
  for (const size of SIZES) {
    const measures: Measure[] = [];
    for (let round = 0; round <= ROUNDS; round++) measures.push(await lifeOf(size));
    report({
      title: `${size} connections that want to open, started and destroyed; 64 of them dial`,
      figures: COSTS,
      results: [alone('holdfast', measures.slice(1))],
    });
  }
}

async function lifeOf(size: number): Promise<Measure<'startMicros' | 'destroyMicros'>> {
  const service = new EnhancedWebSocketService({
    services: { main: { url: 'ws://127.0.0.1:1/' } },
    WebSocket: SilentSocket as never,
  });
  const begun = performance.now();
  for (let index = 0; index < size; index++)
    service.connect({ serviceType: 'main', key: String(index) }).catch(() => undefined);
  // the providers are asked over a few turns of the microtask queue
  await new Promise(setImmediate);
  const started = performance.now();
  await service.destroy({ deadlineMs: 0 });
  const ended = performance.now();
  return { startMicros: ((started - begun) * 1_000) / size, destroyMicros: ((ended - started) * 1_000) / size };
}
