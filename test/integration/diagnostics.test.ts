import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';

import { EnhancedWebSocketService, type DiagnosticsReport, type ServiceOptions } from '../../src/index.ts';
import { startClient } from '../support/client.ts';
import { stepOf, verdictsOf } from '../support/diagnostics.ts';
import { until } from '../support/deadline.ts';
import { startEndpoint } from '../support/endpoints.ts';
import { startNode } from '../support/nodes.ts';
import { echo, freePort, startServer, startSilentServer } from '../support/server.ts';
import { audited } from '../support/audited.ts';

// the platform's own keeps connections open for a while, which are not ours to count
const unreachable = (): Promise<never> => Promise.reject(new TypeError('no HTTP here'));

/** Diagnoses a service type that has no connection. */
async function diagnosed(main: ServiceOptions, deadlineMs = 15_000): Promise<DiagnosticsReport> {
  return startClient(main, { fetch: unreachable }).service.runDiagnostics('main', { deadlineMs });
}

describe('the diagnosis of a plain server', () => {
  test('finds nothing wrong, and says to the server what it is there for', async () => {
    const server = await startServer({ onSocket: echo });
    const report = await diagnosed({ url: `${server.url}/chat?room=a%20b` });
    expect(report).toMatchObject({ verdict: 'passed', connectionId: null });
    expect(stepOf(report, 'roundTrip')).toMatchObject({ verdict: 'passed', facts: { asked: 5, answered: 5 } });
    expect(server.requests.map(({ url }) => url)).toEqual(['/chat?room=a%20b&holdfast-diagnostics=1']);
    await until('the visit is gone', () => server.closes.length === 1 && server.tcp.size === 0);
    expect([server.closes, server.received]).toEqual([[{ code: 1000, reason: 'diagnostics' }], []]);
  });

  test('leaves a live connection alone: it has no second socket, and its messages go on', async () => {
    const server = await startServer({ onSocket: echo });
    const client = startClient({ url: server.url });
    const id = await client.connect();
    const run = client.service.runDiagnostics(id);
    for (let n = 0; n < 50; n++) await client.service.sendMessage(id, `${n}`);
    expect((await run).verdict).toBe('passed');
    await until('all came back', () => client.messages.length === 50);
    expect([server.opened, client.states, client.service.getHealthInfo(id)?.roundTrips]).toEqual([
      1,
      ['connecting', 'open'],
      null,
    ]);
  });

  test('is warned where holdfast.v1 is preferred, and goes on without', async () => {
    const server = await startServer();
    const report = await diagnosed({ url: server.url, wire: 'prefer' });
    expect(verdictsOf(report)).toMatchObject({ handshake: 'passed', subprotocol: 'warning', roundTrip: 'passed' });
    expect(server.received).toEqual([]);
  });

  test('of a terminal opens nothing, and asks the host by HTTP alone', async () => {
    const asked: unknown[] = [];
    const http = createServer((request, response) => {
      asked.push([request.method, request.url, request.headers['authorization'], request.headers['upgrade']]);
      response.writeHead(request.url === '/' ? 302 : 404, { location: '/elsewhere', connection: 'close' }).end();
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void http.close());
    const { port } = http.address() as AddressInfo;
    const url = `ws://user:c4n4ry@127.0.0.1:${port}/shell?token=c4n4ry`;
    const service = audited(new EnhancedWebSocketService({ WebSocket, services: { terminal: { url } } }));
    const report = await service.runDiagnostics('terminal');
    expect(verdictsOf(report)).toMatchObject({ reachability: 'passed', handshake: 'skipped' });
    expect(asked[0]).toEqual(['HEAD', '/', undefined, undefined]);
  });
});

describe('the diagnosis of a server of holdfast.v1', () => {
  test('opens no session', async () => {
    const node = await startNode();
    const report = await diagnosed({ url: node.url, wire: 'required' });
    expect(report.verdict).toBe('passed');
    expect(verdictsOf(report)).toMatchObject({ subprotocol: 'passed', roundTrip: 'passed', burst: 'skipped' });
    expect([node.sessions, node.received, node.errors]).toEqual([[], [], []]);
  });

  test('looks at everything beside a live connection, which keeps its one session (original fault 43)', async () => {
    const node = await startNode();
    const client = startClient({ url: node.url, wire: 'required', profile: { codec: 'json' } });
    const id = await client.connect();
    const run = client.service.runDiagnostics(id);
    await Promise.all(Array.from({ length: 50 }, (_, n) => client.service.sendMessage(id, n)));
    const report = await run;
    expect([...new Set(Object.values(verdictsOf(report)))]).toEqual(['passed']);
    expect([node.sessions.length, node.received, node.errors]).toEqual([
      1,
      Array.from({ length: 50 }, (_, n) => n),
      [],
    ]);
    expect(client.states).toEqual(['connecting', 'open']);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  test('says that the last attempt was refused, where a visit is not', async () => {
    const node = await startNode({ authenticate: () => null });
    const client = startClient({
      url: node.url,
      wire: 'required',
      credentials: () => 'c4n4ry',
      retry: { maxRetries: 0 },
    });
    await client.connect().catch(() => undefined);
    const report = await client.service.runDiagnostics('main');
    expect(verdictsOf(report)).toMatchObject({ handshake: 'passed', subprotocol: 'passed', authentication: 'failed' });
    expect(JSON.stringify(report)).not.toContain('c4n4ry');
  });

  test('is the same for each of those who share a session, at the same time', async () => {
    const node = await startNode({
      onSession: (session) => {
        session.onChannel((channel) => {
          channel.onMessage(() => undefined);
        });
      },
    });
    const shared = { url: node.url, wire: 'required', pool: 'one' } as const;
    const service = new EnhancedWebSocketService({ WebSocket, services: { a: shared, b: shared, c: shared } });
    audited(service);
    const types = ['a', 'b', 'c'] as const;
    await Promise.all(types.map((serviceType) => service.connect({ serviceType })));
    const reports = await Promise.all([...types, 'pool:one'].map((target) => service.runDiagnostics(target)));
    for (const report of reports)
      expect(report.steps.filter(({ verdict }) => verdict !== 'passed').map(({ detail }) => detail)).toEqual([]);
    expect(node.sessions).toHaveLength(1);
  });
});

describe('the diagnosis of a server that is in trouble', () => {
  test('says that it refuses with 401', async () => {
    const server = await startServer({ upgrade: 401 });
    const report = await diagnosed({ url: server.url, credentials: () => 'c4n4ry' });
    expect(verdictsOf(report)).toMatchObject({ reachability: 'passed', handshake: 'failed', authentication: 'failed' });
    expect(stepOf(report, 'authentication').detail).toBe('The server refuses: it answered with 401.');
    expect(JSON.stringify(report)).not.toContain('c4n4ry');
  });

  test.each(['holds', 'says nothing at all'])('says that it never answers, where it %s', async (how) => {
    const server = how === 'holds' ? await startServer({ upgrade: 'hold' }) : await startSilentServer();
    const report = await diagnosed({ url: server.url, connectTimeoutMs: 100 });
    expect(stepOf(report, 'handshake')).toMatchObject({ verdict: 'failed', detail: 'No answer came within 100 ms.' });
    await until('no connection is left', () => server.tcp.size === 0);
  });

  test('is over when time is up', async () => {
    const server = await startServer({ upgrade: 'hold' });
    const report = await diagnosed({ url: server.url }, 100);
    expect(report.verdict).toBe('warning');
    expect(stepOf(report, 'handshake')).toMatchObject({
      verdict: 'warning',
      detail: 'Time ran out before it was over.',
    });
    await until('no connection is left', () => server.tcp.size === 0);
  });

  test('says that it never greets', async () => {
    const server = await startEndpoint({ options: { handleProtocols: () => 'holdfast.v1' } });
    const report = await diagnosed({ url: server.url, wire: 'required' });
    expect(stepOf(report, 'subprotocol')).toMatchObject({
      verdict: 'failed',
      detail: 'The server chose holdfast.v1, and does not greet.',
    });
  });

  test('says that it never pongs', async () => {
    const server = await startServer({ upgrade: 'mute' });
    const report = await diagnosed({ url: server.url });
    expect(stepOf(report, 'roundTrip')).toMatchObject({ verdict: 'failed', detail: 'No ping was answered.' });
    await until('no connection is left', () => server.tcp.size === 0);
  });

  test('says that it closes whoever comes, and does not wait for what will not come', async () => {
    const server = await startServer({
      onSocket: (socket) => {
        socket.close(4401, 'c4n4ry');
      },
    });
    const report = await diagnosed({ url: server.url });
    expect(verdictsOf(report)).toMatchObject({ handshake: 'passed', authentication: 'failed', roundTrip: 'failed' });
    expect(report.durationMs).toBeLessThan(2_000);
    expect(JSON.stringify(report)).not.toContain('c4n4ry');
  });

  test('says that nothing listens there', async () => {
    const report = await diagnosed({ url: `ws://127.0.0.1:${await freePort()}/c4n4ry` });
    expect(verdictsOf(report)).toMatchObject({ reachability: 'failed', handshake: 'failed' });
    expect(stepOf(report, 'handshake').detail).toBe('The socket did not open: nothing listens there (ECONNREFUSED).');
    expect(JSON.stringify(report)).not.toContain('c4n4ry');
  });
});

describe('a service that is destroyed', () => {
  test('while it diagnoses leaves no connection', async () => {
    const server = await startServer({ upgrade: 'mute' });
    const client = startClient({ url: server.url });
    const run = client.service.runDiagnostics('main').catch((error: unknown) => error);
    await until('the visit is there', () => server.tcp.size === 1);
    await client.service.destroy();
    expect(await run).toMatchObject({ code: 'SERVICE_DESTROYED' });
    await until('no connection is left', () => server.tcp.size === 0);
  });
});
