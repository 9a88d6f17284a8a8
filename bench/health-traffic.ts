import { jsonProfile, type WireName } from 'holdfast';

import { terminal } from './payloads.ts';
import { interleaved, type Comparison } from './rounds.ts';
import type { FigureColumn, Section } from './section.ts';
import { openConnection } from './service-connection.ts';
import { BURSTS } from './turns.ts';
import type { Way } from './wire-clients.ts';
import { carry, type Direction } from './wire-run.ts';
import { startWireServer, type WireServerProcess } from './wire-server-process.ts';

const ROUNDS = 9;
const MESSAGES = 100_000;
const WIRES: readonly WireName[] = ['plain', 'holdfast.v1'];
const DIRECTIONS: readonly Direction[] = ['up', 'down'];

const SPEEDS: readonly FigureColumn[] = [
  { key: 'perSecond', heading: 'messages/s', digits: 0 },
  { key: 'clientMicros', heading: 'client CPU µs', digits: 2 },
];

/** What monitoring costs each message: the same bursts with it and without it, in turn. */
export async function benchTraffic(): Promise<Section> {
  const server = await startWireServer();
  try {
    const results: Comparison[] = [];
    for (const wire of WIRES)
      for (const direction of DIRECTIONS) results.push(...(await compared(server, wire, direction)));
    return {
      title: `bursts of ${BURSTS.perTurn} messages of 42 bytes, ${MESSAGES.toLocaleString('en')} in all, with monitoring and without`,
      figures: SPEEDS,
      results,
      base: 'unmonitored',
    };
  } finally {
    server.stop();
  }
}

async function compared(server: WireServerProcess, wire: WireName, direction: Direction): Promise<Comparison[]> {
  process.stderr.write(`traffic: ${wire} ${direction}\n`);
  const load = { payloads: terminal, direction, shape: BURSTS, messages: MESSAGES };
  const run = (isMonitored: boolean) => () => carry({ server, way: wayOf(wire, isMonitored), load, isCounting: false });
  const results = await interleaved(run(false), [{ name: '', run: run(true) }], { rounds: ROUNDS });
  return results.map((result, index) => ({
    ...result,
    name: `${wire} ${direction}, ${index === 0 ? 'not monitored' : 'monitored'}`,
  }));
}

function wayOf(wire: WireName, enableHealthMonitoring: boolean): Way {
  const isPlain = wire === 'plain';
  return {
    name: wire,
    hasPositions: !isPlain,
    open: async (url, { onMessage }) => {
      const { connection, close } = await openConnection(url + (isPlain ? '/raw' : '/holdfast'), {
        wire: isPlain ? 'plain' : 'required',
        profile: jsonProfile,
        enableHealthMonitoring,
      });
      connection.subscribe(onMessage);
      return {
        send: (message) => {
          if (connection.send(message).fate === 'dropped') throw new Error('A message was refused.');
        },
        settled: () => connection.drainQueue({ timeoutMs: 45_000 }),
        close,
      };
    },
  };
}
