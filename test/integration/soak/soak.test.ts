import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { readAuditFile } from '../../../src/audit/node/index.ts';
import { replay, verify } from '../../../src/audit/index.ts';
import { makeDirectory } from '../../support/directory.ts';
import { accountsOf, checkCounts, checkDownlink, checkFates, type Counts } from '../../support/soak/accounting.ts';
import { readBooks } from '../../support/soak/books.ts';
import { Chance } from '../../../src/testing/chance.ts';
import { inflict } from '../../support/soak/faults.ts';
import { checkPlain } from '../../support/soak/plain-accounting.ts';
import { bundlePrograms, startObedient } from '../../support/soak/processes.ts';
import { PLAIN_CONNECTIONS, WIRE_CONNECTIONS } from '../../support/soak/scale.ts';
import { ServerLives, steadyPort } from '../../support/soak/server-lives.ts';
import { summaryOf } from '../../support/soak/summary.ts';
import { checkWire } from '../../support/soak/wire-accounting.ts';

const CONNECTIONS = WIRE_CONNECTIONS + PLAIN_CONNECTIONS;
const seconds = Number(process.env['HOLDFAST_SOAK_SECONDS'] ?? (process.env['CI'] ? 60 : 15));
const seed = Number(process.env['HOLDFAST_SOAK_SEED'] ?? Date.now() % 2 ** 32);
// what the collector, the compiler and the books of a process may add to it; a leak of one message in ten would be more
const MOST_GROWTH_BYTES = 8 * 2 ** 20;

interface ClientEnd {
  before: object;
  after: object;
  heapBefore: number;
  heapAfter: number;
  connections: unknown[];
  log: { sinks: { lost: number }[] };
}

test(
  `${CONNECTIONS} connections over both wires account for every message while their server is killed and frozen at random, for ${seconds} s, seed ${seed}`,
  async () => {
    console.log(`soak: HOLDFAST_SOAK_SECONDS=${seconds} HOLDFAST_SOAK_SEED=${seed}`);
    const directory = makeDirectory();
    onTestFinished(() => {
      directory.remove();
    });
    const { path } = directory;
    const [journal, audit] = [join(path, 'client.jsonl'), join(path, 'audit.jsonl')];
    await bundlePrograms(path);
    const server = new ServerLives(path, { port: await steadyPort(), seed });
    await server.start();
    const client = await startObedient('client', { directory: path, args: [server.port, journal, audit, seed] });
    await client.ask('begin');

    const inflicted = await inflict(server, new Chance(seed), seconds * 1_000);

    await server.present.ask('hush');
    await client.ask('settle');
    await server.present.ask('settle');
    const counts = await client.ask<Counts[]>('counts');
    const end = await client.ask<ClientEnd>('end');
    const exit = await client.end();
    const census = await server.present.ask<{ sessions: number; speakers: number; heapBytes: number }>('census');
    await server.present.kill();

    const books = readBooks(journal, server.journals, CONNECTIONS);
    const wrong = [...books.faults];
    for (const account of accountsOf(books, (what) => wrong.push(what))) {
      const { who } = account;
      checkFates(account);
      checkCounts(account, counts[who] as Counts);
      checkDownlink(account);
      if (who < WIRE_CONNECTIONS) checkWire(account);
      else checkPlain(account);
    }
    console.log(summaryOf(books, { inflicted, heap: [end.heapBefore, end.heapAfter, census.heapBytes] }));
    expect(wrong.slice(0, 50), `${wrong.length} of them`).toEqual([]);

    // each of them was lost, and came back
    expect(Math.min(...books.clients.map(({ opened }) => opened.length))).toBeGreaterThan(1);
    expect([exit, client.stderr, end.after, end.connections]).toEqual([0, '', end.before, []]);
    expect(end.heapAfter - end.heapBefore).toBeLessThan(MOST_GROWTH_BYTES);
    expect(census).toMatchObject({ sessions: 0, speakers: 0 });
    expect(server.processes.map(({ stderr }) => stderr).join('')).toBe('');
    expect(server.processes.filter(({ isThere }) => isThere)).toEqual([]);

    const { verdict, problems } = await verify(readAuditFile(audit));
    expect([verdict, problems]).toEqual(['intact', []]);
    const { verdict: replayed, divergences, skipped, turns } = await replay(readAuditFile(audit));
    expect([replayed, divergences, skipped]).toEqual(['equal', [], 0]);
    expect(turns).toBeGreaterThan(CONNECTIONS);
    expect(end.log.sinks).toMatchObject([{ lost: 0 }]);
  },
  seconds * 1_000 + 180_000,
);
