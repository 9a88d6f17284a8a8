import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { DIAGNOSTIC_STEPS, type DiagnosticsReport } from '../src/index.ts';
import type { ServiceOptions } from '../src/options.ts';
import { chatting, DiagnosticsRig, stepOf, verdictsOf, type Host } from './support/diagnostics.ts';
import { NOTHING_LEFT } from './support/service.ts';

const WIRE = { wire: 'required' } as const;
const CHAT = { serviceType: 'chat' };

const detailOf = (report: DiagnosticsReport, id: (typeof DIAGNOSTIC_STEPS)[number]): string =>
  stepOf(report, id).detail;

describe('the diagnosis of an open connection', () => {
  test('of holdfast.v1 looks at everything (original fault 43)', async () => {
    const r = chatting(WIRE);
    const { id } = await r.open(CHAT);
    const report = await r.diagnosed(id);
    expect(report).toMatchObject({ connectionId: 'chat', serviceType: 'chat', verdict: 'passed' });
    expect(report.steps.map((step) => step.id)).toEqual(DIAGNOSTIC_STEPS);
    expect(new Set(Object.values(verdictsOf(report)))).toEqual(new Set(['passed']));
    expect(stepOf(report, 'handshake')).toMatchObject({ durationMs: 30, facts: { durationMs: 30 } });
    expect(stepOf(report, 'roundTrip')).toMatchObject({
      durationMs: 100,
      facts: { answered: 5, p50Ms: 20, jitterMs: 0 },
    });
    expect(stepOf(report, 'burst')).toMatchObject({ durationMs: 20, facts: { sent: 20, answered: 20 } });
    expect(stepOf(report, 'clock')).toMatchObject({ facts: { spreadMs: 0 } });
    expect(report.durationMs).toBe(30 + 100 + 20 + 1_000);
  });

  test('of holdfast.v1 says nothing on the socket of its own, which is marked and goes (original fault 46)', async () => {
    const r = chatting({ ...WIRE, url: 'wss://host/chat?room=a%20b' });
    const { socket } = await r.open(CHAT);
    await r.diagnosed('chat');
    const [, visit] = r.sockets.all;
    expect([visit?.url, visit?.protocols]).toEqual([
      'wss://host/chat?room=a%20b&holdfast-diagnostics=1',
      ['holdfast.v1'],
    ]);
    expect([visit?.sent, visit?.closeCalls]).toEqual([[], [{ code: 1000, reason: 'diagnostics' }]]);
    expect([r.sockets.all.length, r.sockets.live, r.requests]).toEqual([2, [socket], []]);
  });

  test('of a plain wire opens no second socket', async () => {
    const r = chatting();
    const { socket } = await r.open(CHAT);
    const report = await r.diagnosed('chat');
    expect([r.sockets.all, r.requests, socket.sent]).toEqual([[socket], [], []]);
    expect(verdictsOf(report)).toEqual({
      ...{ configuration: 'passed', reachability: 'passed', handshake: 'passed', subprotocol: 'passed' },
      ...{ authentication: 'passed', roundTrip: 'passed', burst: 'skipped', queue: 'passed', clock: 'skipped' },
    });
  });

  test('of a platform that has no ping fails nothing for that', async () => {
    const r = chatting({}, { hasPing: false });
    for (const target of ['service type', 'connection']) {
      const report = await r.diagnosed('chat');
      expect([target, stepOf(report, 'roundTrip')]).toMatchObject([
        target,
        { verdict: 'skipped', durationMs: 0, detail: 'The platform has no ping of its own.' },
      ]);
      expect(report.verdict).toBe('passed');
      await r.open(CHAT);
    }
  });

  test.each([WIRE, {}])(
    'with %j disturbs nothing: what is sent and heard goes on, and no figure moves',
    async (wire) => {
      const [r, other] = [chatting(wire), chatting(wire)];
      for (const each of [r, other]) await each.open(CHAT);
      const [socket] = r.sockets.all;
      const run = r.service.runDiagnostics('chat');
      await r.after(15);
      await other.after(15);
      for (const each of [r, other]) void each.service.sendMessage('chat', 'while it is examined');
      await r.after(5_000);
      await other.after(5_000);
      expect((await run).verdict).toBe('passed');
      for (const each of [r, other]) await each.after(60_000);
      const [info, expected] = [r, other].map((each) => each.service.getHealthInfo('chat'));
      expect(info?.roundTrips).toEqual(expected?.roundTrips);
      expect(info?.score).toEqual(expected?.score);
      expect(r.of('roundTrip')).toEqual(other.of('roundTrip'));
      expect(r.of('health')).toEqual(other.of('health'));
      expect(r.status('chat').messages).toEqual(other.status('chat').messages);
      expect([r.state('chat'), r.sockets.live, r.clock.pending()]).toEqual(['open', [socket], other.clock.pending()]);
      expect(r.events.map(({ type }) => type)).toEqual(other.events.map(({ type }) => type));
    },
  );

  test('says of what waits too long that it waits', async () => {
    const r = chatting();
    const { connection } = await r.open(CHAT);
    connection.pause();
    connection.send('a');
    await r.after(6_000);
    expect(stepOf(await r.diagnosed('chat'), 'queue')).toMatchObject({
      verdict: 'warning',
      facts: { messages: 1, oldestMs: 6_100 },
    });
  });

  test('that is slow is a warning', async () => {
    const r = chatting({ heartbeat: { slowMs: 10 } });
    await r.open(CHAT);
    expect(stepOf(await r.diagnosed('chat'), 'roundTrip')).toMatchObject({
      verdict: 'warning',
      detail: '5 of 5 pings were answered, half of them within 20 ms; up to 10 ms is fine.',
    });
  });

  test('whose peer has gone silent fails, and is not waited for without end', async () => {
    const r = chatting(WIRE);
    await r.open(CHAT);
    r.host.pongMs = null;
    const report = await r.diagnosed('chat');
    expect(verdictsOf(report)).toMatchObject({ roundTrip: 'failed', burst: 'failed', clock: 'skipped' });
    expect(report).toMatchObject({ verdict: 'failed', durationMs: 30 + 3_000 + 3_000 + 1_000 });
  });

  test.each([
    ['moves', (count: number) => count * 1_000],
    ['is absurd', () => 1e300],
  ])('says of a clock that %s what it is', async (_what, now) => {
    const r = chatting(WIRE);
    await r.open(CHAT);
    let count = 0;
    r.host.peerNow = () => now(++count);
    const report = await r.diagnosed('chat');
    expect([stepOf(report, 'clock').verdict, report.verdict]).toEqual(['warning', 'warning']);
  });

  test('goes on when the connection is lost, and says so', async () => {
    const r = chatting();
    const { socket } = await r.open(CHAT);
    const fate = await r.begun('chat');
    await r.after(30);
    socket.ends(1006);
    await r.passes(() => fate.kind !== 'pending');
    expect(fate.value && stepOf(fate.value, 'roundTrip')).toMatchObject({
      verdict: 'warning',
      detail: 'The connection was lost meanwhile.',
    });
  });

  test('goes on when the connection opens meanwhile', async () => {
    const r = chatting({}, { opensMs: 500 });
    void r.service.connect(CHAT);
    await r.settle();
    const report = await r.diagnosed('chat');
    expect([r.state('chat'), report.verdict]).toEqual(['open', 'passed']);
    expect(stepOf(report, 'queue').verdict).toBe('passed');
  });
});

describe('the diagnosis of what is not open', () => {
  test('of a service type is without a connection, and makes none (original fault 46)', async () => {
    const r = chatting();
    const report = await r.diagnosed('chat');
    expect(report).toMatchObject({ connectionId: null, serviceType: 'chat', verdict: 'passed' });
    expect(verdictsOf(report)).toEqual({
      ...{ configuration: 'passed', reachability: 'passed', handshake: 'passed', subprotocol: 'passed' },
      ...{ authentication: 'skipped', roundTrip: 'passed', burst: 'skipped', queue: 'skipped', clock: 'skipped' },
    });
    expect([r.service.getConnections(), r.leftovers()]).toEqual([[], NOTHING_LEFT]);
  });

  test.each<[what: string, host: Partial<Host>, reachability: string, handshake: RegExp]>([
    ['that never opens', { opensMs: null }, 'passed', /^No answer came within 10000 ms\.$/],
    ['that never opens, on a host that is not there', { opensMs: null, answers: false }, 'failed', /No answer/],
    ['that is refused', { status: 503 }, 'passed', /the server answered with 503\.$/],
    [
      'that breaks',
      { breaks: 'connect ECONNREFUSED c4n4ry:80', answers: false },
      'failed',
      /nothing listens there \(ECONNREFUSED\)\.$/,
    ],
    [
      'that breaks on a host that never says anything',
      { breaks: 'c4n4ry', answers: null },
      'failed',
      /it closed with 1006\.$/,
    ],
  ])('says of a socket %s what became of it', async (_what, host, reachability, handshake) => {
    const r = chatting({}, host);
    const report = await r.diagnosed('chat');
    expect(verdictsOf(report)).toMatchObject({
      reachability,
      handshake: 'failed',
      subprotocol: 'skipped',
      roundTrip: 'skipped',
    });
    expect(detailOf(report, 'handshake')).toMatch(handshake);
    expect(detailOf(report, 'roundTrip')).toBe('No socket is open.');
    expect([report.verdict, JSON.stringify(report).includes('c4n4ry')]).toEqual(['failed', false]);
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
  });

  test('says that there is no network where the platform does, and asks nobody', async () => {
    const r = chatting({}, { breaks: '' });
    void r.service.connect(CHAT);
    await r.settle();
    r.signals.send('network.offline');
    const report = await r.diagnosed('chat');
    expect(stepOf(report, 'reachability')).toMatchObject({
      verdict: 'failed',
      detail: expect.stringMatching(/no network/) as string,
    });
    expect(r.requests).toEqual([]);
  });

  test('asks for the host that a URL provider names, once there is one', async () => {
    const r = chatting({ url: () => 'wss://elsewhere:9/?token=c4n4ry' }, { breaks: '' });
    const report = await r.diagnosed('chat');
    expect(r.requests.map(([url]) => url)).toEqual(['https://elsewhere:9/']);
    expect(stepOf(report, 'reachability').verdict).toBe('passed');
  });

  test.each<
    [
      what: string,
      options: Partial<ServiceOptions>,
      host: Partial<Host>,
      code: string,
      step: 'handshake' | 'authentication',
    ]
  >([
    [
      'credentials provider fails',
      { credentials: () => Promise.reject(new Error('c4n4ry')) },
      {},
      'CREDENTIALS_FAILED',
      'authentication',
    ],
    ['URL provider fails', { url: () => Promise.reject(new Error('c4n4ry')) }, {}, 'URL_FAILED', 'handshake'],
    ['URL provider gives none', { url: () => 'c4n4ry' }, {}, 'INVALID_URL', 'handshake'],
  ])('says so when the %s', async (_what, options, host, code, step) => {
    const r = chatting(options, host);
    const report = await r.diagnosed('chat');
    expect(stepOf(report, 'handshake')).toMatchObject({ verdict: 'failed', facts: { error: code } });
    expect(stepOf(report, step)).toMatchObject({ verdict: 'failed', facts: { error: code } });
    expect([r.sockets.all, JSON.stringify(report).includes('c4n4ry')]).toEqual([[], false]);
  });

  test('tells providers what they are asked for, and opens what they say', async () => {
    const asked: unknown[] = [];
    const r = chatting({
      credentials: ({ isDiagnostic }) => (asked.push(isDiagnostic), 't0ken'),
      url: ({ isDiagnostic, token }) => (asked.push(isDiagnostic), `wss://host/?token=${String(token)}`),
    });
    const report = await r.diagnosed('chat');
    expect([asked, r.sockets.last.url]).toEqual([[true, true], 'wss://host/?token=t0ken']);
    expect(stepOf(report, 'authentication').verdict).toBe('warning');
    expect(JSON.stringify(report)).not.toContain('t0ken');
    await r.open(CHAT);
    expect(asked).toEqual([true, true, undefined, undefined]);
  });

  test.each([401, 403])('says of a handshake that was refused with %i that nobody is let in', async (status) => {
    const r = chatting({}, { status });
    const report = await r.diagnosed('chat');
    expect(verdictsOf(report)).toMatchObject({ reachability: 'passed', handshake: 'failed', authentication: 'failed' });
    expect(detailOf(report, 'authentication')).toBe(`The server refuses: it answered with ${status}.`);
  });

  test.each([
    [4401, 'failed', 'The server refuses: it closed the socket with 4401.'],
    [1011, 'skipped', 'There is no credentials provider.'],
  ])('says of a socket that is closed at once with %i that it is', async (code, authentication, detail) => {
    const r = chatting();
    const fate = await r.begun('chat');
    await r.after(35);
    r.sockets.last.ends(code, 'c4n4ry');
    await r.passes(() => fate.kind !== 'pending');
    const report = fate.value as DiagnosticsReport;
    expect(stepOf(report, 'roundTrip')).toMatchObject({
      verdict: 'failed',
      durationMs: 5,
      detail: `The socket opened, and was closed again with ${code}.`,
    });
    expect(stepOf(report, 'authentication')).toMatchObject({ verdict: authentication, detail });
    expect(JSON.stringify(report)).not.toContain('c4n4ry');
  });

  test('says of a connection that was refused the last time that it was', async () => {
    const r = chatting();
    const { socket } = await r.open(CHAT);
    socket.ends(4403, 'c4n4ry');
    await r.settle();
    const report = await r.diagnosed('chat');
    expect(stepOf(report, 'authentication')).toEqual({
      id: 'authentication',
      verdict: 'failed',
      durationMs: 0,
      detail: 'The last attempt was refused: CLOSED_BY_PEER (close code 4403).',
      facts: { error: 'CLOSED_BY_PEER', code: 4403, status: null },
    });
    expect(r.state('chat')).toBe('failed');
  });

  test.each<[what: string, wire: ServiceOptions['wire'], host: Partial<Host>, verdict: string, detail: RegExp]>([
    ['required and spoken', 'required', {}, 'passed', /speaks holdfast\.v1/],
    ['required and not chosen', 'required', { selects: false }, 'failed', /does not speak/],
    ['required and not shown', 'required', { greets: false }, 'failed', /does not greet/],
    ['preferred and spoken', 'prefer', {}, 'passed', /speaks holdfast\.v1/],
    ['preferred and not chosen', 'prefer', { selects: false }, 'warning', /does not speak/],
    ['preferred and not shown', 'prefer', { greets: false }, 'warning', /does not greet/],
  ])('says of holdfast.v1 that it is %s', async (_what, wire, host, verdict, detail) => {
    const r = chatting({ wire: wire as 'required' }, host);
    const report = await r.diagnosed('chat');
    expect(stepOf(report, 'subprotocol')).toMatchObject({ verdict, detail: expect.stringMatching(detail) as string });
    expect(r.sockets.all.flatMap(({ sent }) => sent)).toEqual([]);
  });

  test('that prefers holdfast.v1 tries without its name where that is refused, as any attempt does', async () => {
    const r = chatting({ wire: 'prefer' }, { breaks: 'Server sent no subprotocol' });
    const fate = await r.begun('chat');
    await r.clock.advanceAsync(29);
    await r.clock.advanceAsync(1);
    r.host.breaks = undefined;
    await r.passes(() => fate.kind !== 'pending');
    const report = fate.value as DiagnosticsReport;
    expect(r.sockets.all.map(({ protocols }) => protocols)).toEqual([['holdfast.v1'], undefined]);
    expect(verdictsOf(report)).toMatchObject({ handshake: 'passed', subprotocol: 'warning' });
  });

  test('without a WebSocket says so, and fails', async () => {
    vi.stubGlobal('WebSocket', undefined);
    onTestFinished(() => {
      vi.unstubAllGlobals();
    });
    const r = new DiagnosticsRig({ services: { chat: { url: 'wss://host/' } }, WebSocket: undefined as never });
    const report = await r.diagnosed('chat');
    expect(verdictsOf(report)).toMatchObject({ configuration: 'failed', reachability: 'passed', handshake: 'skipped' });
  });
});
