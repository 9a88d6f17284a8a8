import { describe, expect, test } from 'vitest';

import { settle } from '../src/settings.ts';
import { exported, type DiagnosticsExport, type ExportedService } from '../src/export.ts';
import type { ServiceOptions } from '../src/options.ts';
import { HealthRig } from './support/health.ts';

const SILENT = {
  getHealthInfo: () => ({}),
  getTraffic: () => ({}),
  getErrorStatistics: () => ({}),
  getErrorHistory: () => [],
} as unknown as ExportedService;

const exportOf = (chat: Partial<ServiceOptions>): Record<string, unknown> => {
  const settings = settle({ services: { chat: { url: 'wss://host/', ...chat } } });
  return exported(SILENT, { settings, members: [], now: 5 }).services['chat'] ?? {};
};

describe('the options in an export', () => {
  test.each([
    ['wss://host/', 'wss://host/…'],
    ['wss://host', 'wss://host/…'],
    ['ws://host:8080/rooms/k?token=s3cret', 'ws://host:8080/…'],
    ['wss://user:s3cret@host/path', 'wss://host/…'],
    ['wss://us@er:s3cret@host/path', 'wss://host/…'],
    ['wss://host\\s3cret', 'wss://host/…'],
    ['https://host/s3cret', 'wss://host/…'],
    [new URL('wss://user:s3cret@host:9/p?q=s3cret'), 'wss://host:9/…'],
  ])('have of the URL %s no more than %s', (url, place) => {
    expect(exportOf({ url })['url']).toBe(place);
  });

  test('name providers as what they are, and nothing of what they give', () => {
    const options = exportOf({
      url: () => 'wss://s3cret/',
      protocols: () => ['s3cret'],
      credentials: () => 's3cret',
      decide: () => undefined,
      profile: { codec: { encode: String, decode: String }, ping: () => 's3cret' },
      heartbeat: { ping: () => 's3cret' },
    });
    expect(options).toMatchObject({
      url: 'provider',
      protocols: 'provider',
      credentials: 'provider',
      decide: true,
      codec: 'own',
      ping: 'own',
    });
    expect(JSON.stringify(options)).not.toContain('s3cret');
  });

  test('count the subprotocols, of which one may be a token', () => {
    const options = exportOf({ protocols: ['bearer', 's3cret'] });
    expect([options['protocols'], JSON.stringify(options).includes('s3cret')]).toEqual([2, false]);
  });

  test('say what holds, chosen or by default; what is unlimited is null', () => {
    const options = exportOf({ label: 'Chat', queue: { maxMessages: 7 }, maxConnections: 5 });
    expect(options).toMatchObject({
      label: 'Chat',
      credentials: 'none',
      decide: false,
      codec: 'plain',
      ping: 'auto',
      protocols: 0,
      maxConnections: 5,
      queue: { maxMessages: 7 },
      policy: { connectTimeoutMs: 10_000 },
    });
    expect(exportOf({ maxConnections: Infinity })['maxConnections']).toBeNull();
  });
});

describe('an export', () => {
  test('has this form', async () => {
    const r = new HealthRig();
    await r.open();
    await r.seconds(5);
    r.sockets.last.ends(4403, 'because');
    await r.settle();
    const told: DiagnosticsExport = r.service.exportDiagnostics();
    expect(Object.keys(told)).toEqual(['version', 'at', 'services', 'summary', 'connections', 'traffic', 'errors']);
    expect(told).toMatchObject({ version: 1, at: r.clock.now(), traffic: { terminal: {} } });
    expect(Object.keys(told.services)).toEqual(['terminal', 'chat']);
    const [connection] = told.connections;
    expect(Object.keys(connection ?? {})).toEqual(['status', 'health', 'recommendations']);
    expect(connection).toMatchObject({
      status: { connectionId: 'terminal:one', state: 'failed', lastError: { closeCode: 4403, code: 'CLOSED_BY_PEER' } },
      health: { grade: 'critical' },
    });
    expect(told.errors.history).toMatchObject([{ code: 'CLOSED_BY_PEER', closeCode: 4403 }]);
  });

  test('is a copy: what is done to it changes nothing', async () => {
    const r = new HealthRig();
    await r.open();
    const told = r.service.exportDiagnostics();
    (told.connections[0] as { status: { state: string } }).status.state = 'changed';
    (told.summary as { total: number }).total = 99;
    expect(r.service.exportDiagnostics()).toMatchObject({
      summary: { total: 1 },
      connections: [{ status: { state: 'open' } }],
    });
  });

  test('has no health where none is monitored, and is made after the end as well', async () => {
    const r = new HealthRig({ enableHealthMonitoring: false });
    await r.open();
    expect(r.service.exportDiagnostics().connections).toMatchObject([{ health: null, recommendations: [] }]);
    await r.destroy();
    expect(r.service.exportDiagnostics()).toMatchObject({ version: 1, connections: [] });
  });
});
