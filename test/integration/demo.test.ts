import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

interface Figures {
  verdict: string;
  seed: number;
  elapsedMs: number;
  kills: { service: string; times: number; resumptions: number; freshStarts: number; flows: Record<string, Flow> };
  services: Record<string, ServiceFigures>;
  hurts: Record<string, HurtFigures>;
  promises: { promise: string; held: boolean; detail: string }[];
}

interface HurtFigures {
  times: number;
  noticedMs: number | null;
  recoveryMs: { max: number | null };
  retries: number;
  refused: number;
}

interface Flow {
  sent: number;
  arrived: number;
  acknowledged: number;
  lost: number;
  repeated: number;
  overtaken: number;
}

interface ServiceFigures {
  wire: string;
  drops: number;
  retries: number;
  accepted: number;
  delivered: number;
  acknowledged: number;
  dropped: Record<string, number>;
  unknown: number;
}

const root = resolve(import.meta.dirname, '../..');

describe('npm run demo', () => {
  test('holds its promises, prints figures that add up, and ends by itself', { timeout: 130_000 }, async () => {
    const { code, stdout, stderr } = await runDemo();
    const { verdict, seed, elapsedMs, kills, services, hurts, promises } = JSON.parse(stdout) as Figures;
    expect({ seed, broken: promises.filter(({ held }) => !held) }).toEqual({ seed, broken: [] });
    expect({ code, verdict, stderr: withoutNpm(stderr) }).toEqual({ code: 0, verdict: 'held', stderr: '' });
    expect(Object.keys(services)).toEqual(['terminal', 'chat', 'main']);
    expect(kills).toMatchObject({ service: 'chat', times: 50, freshStarts: 0 });
    expect(kills.resumptions).toBeGreaterThan(0);
    expect(Object.keys(kills.flows)).toEqual(['to the server', 'echoed', 'from the server']);
    for (const flow of Object.values(kills.flows)) {
      const { sent } = flow;
      expect(flow).toEqual({ sent, arrived: sent, acknowledged: sent, lost: 0, repeated: 0, overtaken: 0 });
      expect(sent).toBeGreaterThan(500);
    }
    for (const { wire, drops, retries, accepted, delivered, acknowledged, dropped, unknown } of Object.values(
      services,
    )) {
      const droppedInAll = Object.values(dropped).reduce((sum, count) => sum + count, 0);
      expect(delivered + droppedInAll + unknown).toBe(accepted);
      expect(delivered).toBeGreaterThan(100);
      expect(acknowledged).toBe(wire === 'plain' ? 0 : delivered);
      expect(drops).toBeGreaterThanOrEqual(3);
      expect(retries).toBeGreaterThanOrEqual(drops);
    }
    expect(Object.values(hurts).map(({ times }) => times)).toEqual([3, 3, 3, 1, 1, 1, 1]);
    expect(hurts['rate limit']?.refused).toBeOneOf([1, 2]);
    expect(hurts['expired token']).toMatchObject({ retries: 1, refused: 0 });
    expect(elapsedMs).toBeLessThan(90_000);
  });
});

/** Runs the demo as its reader does, build included. */
async function runDemo(): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return await new Promise((done) => {
    const options = { cwd: root, timeout: 125_000, shell: process.platform === 'win32' };
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
