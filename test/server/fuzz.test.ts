import { describe, expect, test, vi } from 'vitest';

import { WireClose } from '../../src/protocol/close-codes.ts';
import { bent, chanceFrom, pick } from '../support/bending.ts';
import { startWireServer, type WireServer } from '../support/wire-server.ts';
import type { WireClient } from '../support/wire-client.ts';
import { dataOf, FRAME_VECTORS, VIOLATION_VECTORS } from '../protocol/vectors.ts';

// `npm run test:long` asks for more
const RUNS = Number(process.env['HOLDFAST_FUZZ_RUNS'] ?? 5_000);
const SEED = Number(process.env['HOLDFAST_FUZZ_SEED'] ?? 1);

const seeds = [...FRAME_VECTORS, ...VIOLATION_VECTORS].map(dataOf);
// what a session reads without ending of it
const tame = FRAME_VECTORS.filter(({ from, means: { t } }) => from === 'client' && !['hello', 'bye'].includes(t)).map(
  dataOf,
);
const codes = new Set<number>([...Object.values(WireClose), 1000]);
// a busy machine takes some ms for each
const TIMEOUT_MS = 30_000 + RUNS * 40;
const MOST_FRAMES = 8;

describe('a live server', () => {
  test(
    `ignores or closes what chance has bent, for ${RUNS} clients, and serves another one as before`,
    async () => {
      const chance = chanceFrom(SEED);
      let taken = 0;
      const wired = startWireServer({
        compression: true,
        ttlMs: 1_000,
        onSession: (session) => {
          session.onMessage(({ data }) => {
            taken += 1;
            session.send(data);
          });
          session.onChannel((channel) => channel.onMessage(({ data }) => channel.send(data)));
        },
      });
      // the deflater comes in its own time
      await vi.waitFor(
        () => {
          expect(wired.connect().of('srv')[0]?.caps).toEqual(['deflate-raw']);
        },
        { timeout: 10_000 },
      );
      const other = await wired.join({ auth: 'other', nonce: 'other' });
      let closed = 0;
      for (let run = 0; run < RUNS; run++) {
        const client = wired.connect();
        if (chance() < 0.9) client.hello({ nonce: `n${run}`, auth: `p${run % 7}`, caps: ['deflate-raw'] });
        if (chance() < 0.9) await wired.settle();
        await bombard(client, wired, chance);
        if (client.closed && !codes.has(client.closed.code))
          throw new Error(`run ${run} of seed ${SEED} was closed with ${client.closed.code}`);
        if (client.closed) closed += 1;
        client.leave();
        if (run % 100 > 0) continue;
        await wired.clock.advanceAsync(500);
        other.says({ t: 'ping', i: run, ts: run });
      }
      other.says('1["still here"]');
      await wired.settle();
      expect(other.payloads).toEqual(['still here']);
      expect(wired.errors).toEqual([]);
      // both are many: else it is the bending that is at fault
      expect(Math.min(closed, taken)).toBeGreaterThan(RUNS / 4);
      await wired.clock.advanceAsync(10_000);
      expect(wired.server.sessions.map(({ principal }) => principal)).toEqual(['other']);
    },
    TIMEOUT_MS,
  );
});

// in between it says what it should, so that chance gets to a session that goes on
async function bombard(client: WireClient, { settle }: WireServer, chance: () => number): Promise<void> {
  let position = 1;
  for (let frames = pick(chance, MOST_FRAMES); frames >= 0 && !client.closed; frames--) {
    if (chance() < 0.5)
      client.says(`${position++}[${frames}]`, '{"t":"ping","i":1,"ts":1}', '{"t":"open","c":"room","n":"x"}');
    const from = chance() < 0.8 ? tame : seeds;
    const frame = from[pick(chance, from.length)] ?? '';
    client.events.received(chance() < 0.3 ? frame : bent(frame, chance));
    if (chance() < 0.3) await settle();
  }
  await settle();
}
