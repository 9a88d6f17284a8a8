/** What runs in a page: a client of any library, which does what it is asked over a line. */
import { clientOrders } from '../peers/client-orders.ts';
import type { Candidate } from '../peers/ends.ts';
import { Station } from '../peers/station.ts';
import type { Turn } from '../turns.ts';
import { CANDIDATES, RAW } from './candidates.ts';
import { aheadBy, type Reading } from './clock.ts';
import type { DeskOrders } from './desk.ts';
import { Line } from './line.ts';

const READINGS = 500;

// how far the clock of the other end is ahead
let ahead = 0;

const micros = (): number => performance.now() * 1_000 + ahead;

const station: Station = new Station({
  micros,
  // a page does not see what it costs
  begin: () => desk.ask('begin'),
  cpuMicros: () => desk.ask('cpuMicros'),
  turn: turnOf(new MessageChannel()),
});

const socket = new WebSocket(`ws://${location.host}/${location.search}`);
const desk: Line<DeskOrders> = new Line(socket, clientOrders({ station, find, micros, memory }));

await new Promise((resolve) => {
  socket.addEventListener('open', resolve);
});
await beFound();
await setClock();

function find(name: string): Candidate {
  const candidate = [RAW, ...CANDIDATES].find((one) => one.name === name);
  if (!candidate) throw new Error(`Nobody here is called ${name}.`);
  return candidate;
}

// TypeScript's library has no name for it yet
async function memory(): Promise<{ heap: number; rss: number }> {
  const measuring = performance as unknown as { measureUserAgentSpecificMemory(): Promise<{ bytes: number }> };
  // what its process has says nothing: it has had other connections before
  return { heap: (await measuring.measureUserAgentSpecificMemory()).bytes, rss: Number.NaN };
}

// the thread of a worker tells the process of this page from those of the others
async function beFound(): Promise<void> {
  const worker = new Worker(URL.createObjectURL(new Blob(['postMessage(0)'], { type: 'text/javascript' })));
  await new Promise((resolve) => {
    worker.addEventListener('message', resolve);
  });
  await desk.ask('find');
  worker.terminate();
}

async function setClock(): Promise<void> {
  const readings: Reading[] = [];
  for (let read = 0; read < READINGS; read++) {
    const asked = performance.now() * 1_000;
    const said = await desk.ask('micros');
    readings.push({ asked, said, answered: performance.now() * 1_000 });
  }
  const set = aheadBy(readings);
  ahead = set.ahead;
  await desk.ask('ready', { errorMicros: set.error, isIsolated: crossOriginIsolated });
}

// a timer of a page waits for 4 ms; only one of them waits at a time
function turnOf({ port1, port2 }: MessageChannel): Turn {
  let next: () => void = () => undefined;
  port1.onmessage = () => {
    next();
  };
  return (goOn) => {
    next = goOn;
    port2.postMessage(undefined);
  };
}
