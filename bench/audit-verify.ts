import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';

import { canonicalJson } from '../src/audit/canonical.ts';
import { hashedText, lineOf, START } from '../src/audit/chain.ts';
import { sha256 } from '../src/audit/digest.ts';
import { readAuditFile } from '../src/audit/node/read-file.ts';
import { verify } from '../src/audit/verify.ts';
import { keepResults } from './keeping.ts';
import { interleaved, type Measure } from './rounds.ts';
import type { FigureColumn, Section } from './section.ts';

type Speed = 'perSecond' | 'megabytes';

const ROUNDS = 5;
const RECORDS = 200_000;
const LEAST_PER_SECOND = 100_000;

const SPEEDS: readonly (FigureColumn & { key: Speed })[] = [
  { key: 'perSecond', heading: 'records/s', digits: 0 },
  { key: 'megabytes', heading: 'MB/s', digits: 0 },
];

/** How fast the log in a file is verified, beside reading its lines and parsing them alone. Writes `bench/results/audit-verify.*` as well. */
export async function benchAuditVerify(report: (section: Section) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'));
  const path = join(folder, 'audit.jsonl');
  try {
    await writeLog(path);
    const { size } = await stat(path);
    const speedOf = (work: () => Promise<void>) => async (): Promise<Measure<Speed>> => {
      const start = performance.now();
      await work();
      const seconds = (performance.now() - start) / 1_000;
      return { perSecond: RECORDS / seconds, megabytes: size / 1e6 / seconds };
    };
    const [raw, ...candidates] = await interleaved(
      speedOf(() => parse(path)),
      [
        { name: 'readAuditFile', run: speedOf(() => read(path)) },
        { name: 'verify', run: speedOf(() => check(path)) },
      ],
      { rounds: ROUNDS },
    );
    const least = candidates.at(-1)?.values['perSecond']?.median ?? Number.NaN;
    const section: Section = {
      title: `a log of ${RECORDS} records of ${Math.round(size / RECORDS)} bytes in a file`,
      figures: SPEEDS,
      results: [...(raw ? [{ ...raw, name: 'readline, JSON.parse' }] : []), ...candidates],
      bars: [
        {
          name: 'µs to verify a record',
          value: 1e6 / least,
          most: 1e6 / LEAST_PER_SECOND,
        },
      ],
    };
    report(section);
    keepResults(ACCOUNT, [section]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function parse(path: string): Promise<void> {
  for await (const line of createInterface(createReadStream(path))) JSON.parse(line);
}

async function read(path: string): Promise<void> {
  let lines = 0;
  for await (const line of readAuditFile(path)) lines += typeof line === 'string' ? 1 : 0;
  if (lines !== RECORDS) throw new Error(`${lines} lines were read.`);
}

async function check(path: string): Promise<void> {
  const { verdict } = await verify(readAuditFile(path));
  if (verdict !== 'intact') throw new Error(`The log is ${verdict}.`);
}

async function writeLog(path: string): Promise<void> {
  const stream = createWriteStream(path);
  let head = START;
  for (let n = 0; n < RECORDS; n++) {
    const hashed = hashedText(head, canonicalJson(recordOf(n)));
    const hash = await sha256(hashed);
    head = { seq: n, hash };
    if (!stream.write(`${lineOf(hashed, hash)}\n`)) await once(stream, 'drain');
  }
  await finished(stream.end());
}

function recordOf(n: number): object {
  const base = { v: 1, at: 1_764_144_288_000 + n, mono: 1_000.125 + n };
  if (n === 0) return { ...base, kind: 'opened', run: 'a', level: 'transitions', machines: {} };
  if (n === RECORDS - 1) return { ...base, kind: 'closed' };
  const state = { connected: { link: 'open', health: 'good' } };
  return {
    ...base,
    ...{ kind: 'step', actor: 'service/group:1/connection:chat:1', machine: 'connection@0123456789abcdef' },
    ...{ generation: 1, source: 'service/group:1', from: state, to: state, event: { type: 'socket.message', n } },
    transitions: [{ source: 'connection.connected', on: 'socket.message', actions: ['countMessage', 'noteLife'] }],
    effects: ['send message to service/group:1/connection:chat:1/inbox', 'countMessage'],
    context: { messages: n },
  };
}

const ACCOUNT = {
  name: 'audit-verify',
  title: 'How fast an audit log is verified',
  notes: `Each run reads the file anew: as \`verify\` does, with \`readAuditFile\` alone, and with readline and JSON.parse, which is what reading such a file takes
at the least without looking at a hash. Records a second of ${ROUNDS} rounds, one after the other: medians, and the ratio to readline of the same round with the least and the most.`,
};
