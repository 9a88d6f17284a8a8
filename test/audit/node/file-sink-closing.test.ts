import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { fileSink } from '../../../src/audit/node/file-sink.ts';
import { auditLines } from '../../support/audit-lines.ts';
import { makeDirectory, type Directory } from '../../support/directory.ts';

let directory: Directory;
let path: string;

beforeEach(() => {
  directory = makeDirectory();
  path = join(directory.path, 'out.jsonl');
});

afterEach(() => directory.remove());

describe('a file sink that is closed in the middle of its work', () => {
  // how far the work has come by then, in rounds of the loop
  const rounds = Array.from({ length: 12 }, (_, index) => index);
  const pass = async (count: number): Promise<void> => {
    for (let round = 0; round < count; round++) await new Promise(setImmediate);
  };

  test('lets go of the file that it was opening', async () => {
    writeFileSync(path, `${auditLines(1)[0]}\n`);
    for (const round of rounds) {
      const sink = fileSink({ path });
      const opened = Promise.resolve(sink.open?.()).then(
        () => 'opened',
        (error: unknown) => error,
      );
      await pass(round);
      await sink.close?.();
      expect(['opened', expect.objectContaining({ code: 'AUDIT_SINK_FAILED' })]).toContainEqual(await opened);
      await expect(sink.append([])).rejects.toThrow('The sink is closed.');
      expect(directory.open()).toBe(0);
    }
  });

  test('lets go of the segment that it was beginning', async () => {
    const lines = auditLines(1);
    for (const round of rounds) {
      writeFileSync(path, `${lines[0]}\n`);
      const sink = fileSink({ path });
      await sink.open?.();
      const rotated = Promise.resolve(sink.rotate?.()).catch(() => undefined);
      await pass(round);
      await sink.close?.();
      await rotated;
      expect(directory.open()).toBe(0);
      const again = fileSink({ path });
      expect(await again.open?.()).toEqual({ line: lines[0], segment: 1 });
      await again.close?.();
    }
  });
});
