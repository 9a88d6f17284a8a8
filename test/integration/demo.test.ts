import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

interface Figures {
  verdict: string;
  elapsedMs: number;
  services: Record<string, ServiceFigures>;
  hurts: Record<string, { times: number; noticedMs: number | null; recoveryMs: { max: number | null } }>;
  promises: { promise: string; held: boolean; detail: string }[];
}

interface ServiceFigures {
  drops: number;
  retries: number;
  accepted: number;
  delivered: number;
  dropped: Record<string, number>;
  unknown: number;
}

const root = resolve(import.meta.dirname, '../..');

describe('npm run demo', () => {
  test('holds its promises, prints figures that add up, and ends by itself', { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await runDemo();
    const { verdict, elapsedMs, services, hurts, promises } = JSON.parse(stdout) as Figures;
    expect(promises.filter(({ held }) => !held)).toEqual([]);
    expect({ code, verdict, stderr: withoutNpm(stderr) }).toEqual({ code: 0, verdict: 'held', stderr: '' });
    expect(Object.keys(services)).toEqual(['terminal', 'chat', 'main']);
    for (const { drops, retries, accepted, delivered, dropped, unknown } of Object.values(services)) {
      const droppedInAll = Object.values(dropped).reduce((sum, count) => sum + count, 0);
      expect(delivered + droppedInAll + unknown).toBe(accepted);
      expect(delivered).toBeGreaterThan(100);
      expect(drops).toBeGreaterThanOrEqual(3);
      expect(retries).toBeGreaterThanOrEqual(drops);
    }
    expect(Object.values(hurts).map(({ times }) => times)).toEqual([3, 3, 3, 1, 1]);
    expect(elapsedMs).toBeLessThan(60_000);
  });
});

/** Runs the demo as its reader does, build included. */
async function runDemo(): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return await new Promise((done) => {
    const options = { cwd: root, timeout: 55_000, shell: process.platform === 'win32' };
    execFile('npm', ['run', '--silent', 'demo', '--', '--json'], options, (error, stdout, stderr) => {
      done({ code: error?.code ?? 0, stdout, stderr });
    });
  });
}

// what npm says of its own configuration is not the demo's
function withoutNpm(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => !line.startsWith('npm '));
  return lines.join('\n').trim();
}
