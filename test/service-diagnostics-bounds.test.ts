import { describe, expect, test } from 'vitest';

import type { ServiceOptions } from '../src/options.ts';
import { chatting, DiagnosticsRig, stepOf, verdictsOf, type Host } from './support/diagnostics.ts';
import { fateOf, NOTHING_LEFT, TERMINAL } from './support/service.ts';

const CHAT = { serviceType: 'chat' };
const SECRET = 'c4n4ry';
const never = (): Promise<never> => new Promise(() => undefined);

describe('two who ask for the same diagnosis', () => {
  test('share it, and what one does with the report is nothing to the other', async () => {
    const r = chatting();
    await r.open(CHAT);
    const [one, other] = [await r.begun('chat'), await r.begun('chat')];
    await r.passes(() => other.kind !== 'pending');
    expect([one.kind, one.value]).toEqual(['resolved', other.value]);
    expect(() => {
      Object.assign(one.value?.steps[0]?.facts ?? {}, { note: 'mine' });
    }).toThrow(TypeError);
    expect(r.sockets.last.pings).toBe(5);
  });

  test('do not end it for each other, and end it together', async () => {
    const r = chatting({}, { opensMs: null });
    const [first, second] = [new AbortController(), new AbortController()];
    const one = await r.begun('chat', { signal: first.signal });
    const other = await r.begun('chat', { signal: second.signal });
    first.abort(new Error('enough'));
    await r.settles();
    expect([one.error, other.kind, r.sockets.live.length]).toMatchObject([
      { name: 'ConnectionError', code: 'DIAGNOSTICS_ABORTED', serviceType: 'chat', cause: { message: 'enough' } },
      'pending',
      1,
    ]);
    second.abort();
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
    await r.settles();
    expect([other.error, r.bugs, r.of('error')]).toMatchObject([{ code: 'DIAGNOSTICS_ABORTED' }, [], []]);
  });
});

describe('a diagnosis that has no time left', () => {
  test.each<[what: string, chat: Partial<ServiceOptions>, host: Partial<Host>, step: 'handshake' | 'reachability']>([
    ['a credentials provider that never answers', { credentials: { get: never, timeoutMs: 60_000 } }, {}, 'handshake'],
    ['a URL provider that never answers', { url: never, urlTimeoutMs: 60_000 }, {}, 'handshake'],
    ['a socket that never opens', { connectTimeoutMs: 60_000 }, { opensMs: null }, 'handshake'],
    [
      'a host that never says anything',
      { connectTimeoutMs: 60_000 },
      { breaks: '', opensMs: 14_000, answers: null },
      'reachability',
    ],
  ])('because of %s is over after 15 s, and says where it stood', async (_what, chat, host, step) => {
    const r = chatting(chat, host);
    const report = await r.diagnosed('chat');
    expect(report.durationMs).toBe(15_000);
    expect(report.verdict).toBe(step === 'handshake' ? 'warning' : 'failed');
    expect(stepOf(report, step)).toMatchObject({ verdict: 'warning', detail: 'Time ran out before it was over.' });
    expect(stepOf(report, 'queue')).toMatchObject({ verdict: 'skipped', detail: 'There was no time left for it.' });
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
  });

  test('because of a fetch that heeds nobody is over all the same', async () => {
    const r = chatting({}, { breaks: '' }, { fetch: never });
    const report = await r.diagnosed('chat', { deadlineMs: 1_000 });
    expect(report.durationMs).toBe(1_000);
    expect(stepOf(report, 'reachability').verdict).toBe('warning');
  });

  test('because of a server that never pongs keeps what it has seen', async () => {
    const r = chatting({ wire: 'required' }, { pongMs: null });
    await r.open(CHAT);
    const report = await r.diagnosed('chat', { deadlineMs: 1_000 });
    expect(verdictsOf(report)).toMatchObject({ handshake: 'passed', subprotocol: 'passed', roundTrip: 'warning' });
    expect([r.state('chat'), r.sockets.live.length]).toEqual(['open', 1]);
  });
});

describe('a service that is destroyed in the middle of a diagnosis', () => {
  test.each<[what: string, chat: Partial<ServiceOptions>, host: Partial<Host>, afterMs: number]>([
    ['a provider is asked', { credentials: never }, {}, 10],
    ['a socket opens', {}, { opensMs: null }, 10],
    ['a greeting is waited for', { wire: 'required' }, { greets: false }, 40],
    ['a ping is under way', {}, { pongMs: null }, 40],
    ['a host is asked', {}, { breaks: '', answers: null }, 40],
    ['the socket closes', {}, {}, 150],
  ])('while %s tells whoever waits, and leaves nothing', async (_what, chat, host, afterMs) => {
    const r = chatting(chat, host);
    const fate = await r.begun('chat');
    await r.after(afterMs);
    expect(fate.kind).toBe('pending');
    await r.destroy();
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
    await r.settles();
    expect(fate.error).toMatchObject({ code: 'SERVICE_DESTROYED' });
    expect([r.leftovers(), r.bugs]).toEqual([NOTHING_LEFT, []]);
  });

  test('in the turn in which it was asked for', async () => {
    const r = chatting({}, { opensMs: 0 });
    await r.open(CHAT);
    const fate = fateOf(r.service.runDiagnostics('chat'));
    await r.destroy();
    await r.settles();
    expect([fate.error, r.leftovers()]).toMatchObject([{ code: 'SERVICE_DESTROYED' }, NOTHING_LEFT]);
    expect(r.sockets.all).toHaveLength(1);
  });

  test('has none any more', async () => {
    const r = chatting();
    await r.destroy();
    await expect(r.service.runDiagnostics('chat')).rejects.toMatchObject({ code: 'SERVICE_DESTROYED' });
  });
});

describe('what cannot be diagnosed', () => {
  test.each<[target: unknown, options: unknown, code: string]>([
    ['nobody', {}, 'UNKNOWN_CONNECTION'],
    ['', {}, 'UNKNOWN_CONNECTION'],
    ['toString', {}, 'UNKNOWN_CONNECTION'],
    [undefined, {}, 'UNKNOWN_CONNECTION'],
    ['chat', { deadlineMs: 0 }, 'INVALID_OPTIONS'],
    ['chat', { deadlineMs: '5' }, 'INVALID_OPTIONS'],
    ['chat', { signal: 'now' }, 'INVALID_OPTIONS'],
    ['chat', { deadlineMS: 5 }, 'INVALID_OPTIONS'],
    ['chat', null, 'INVALID_OPTIONS'],
  ])('%j with %j is refused', async (target, options, code) => {
    const r = chatting();
    await expect(r.service.runDiagnostics(target as string, options as object)).rejects.toMatchObject({
      name: 'ConfigurationError',
      code,
    });
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
  });
});

describe('a report', () => {
  test.each([
    ['an open connection', { wire: 'required' } as const, {}],
    ['a refused one', {}, { status: 401 }],
    ['a silent one', {}, { opensMs: null, answers: null }],
  ])('on %s is plain data', async (_what, chat, host) => {
    const r = chatting(chat, host);
    if (!('opensMs' in host) && !('status' in host)) await r.open(CHAT);
    const report = await r.diagnosed('chat');
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(structuredClone(report)).toEqual(report);
  });

  test('and an export hold nothing that is secret, nor what others wrote', async () => {
    const url = `wss://user:${SECRET}@host/${SECRET}?token=${SECRET}`;
    const r = new DiagnosticsRig({
      services: {
        fixed: { url, protocols: () => [SECRET] },
        asked: { url: () => url, credentials: () => SECRET },
        wire: { url, wire: 'required', credentials: () => SECRET },
      },
    });
    const told: unknown[] = [];
    const tell = async (target: string): Promise<void> =>
      void told.push(await r.diagnosed(target), r.service.exportDiagnostics());
    for (const target of ['fixed', 'asked', 'wire']) await tell(target);
    for (const serviceType of ['fixed', 'asked', 'wire']) await r.open({ serviceType, params: { secret: SECRET } });
    for (const target of ['fixed', 'asked', 'wire']) await tell(target);
    r.sockets.live.forEach((socket, index) => {
      socket.says(SECRET);
      socket.errs(SECRET);
      socket.ends(index === 0 ? 4401 : 1011, SECRET);
    });
    await r.settles();
    Object.assign(r.host, { breaks: `${SECRET} ECONNRESET`, answers: false });
    for (const target of ['fixed', 'asked', 'wire']) await tell(target);
    expect(told).toHaveLength(18);
    expect(JSON.stringify(told)).not.toContain(SECRET);
    expect(JSON.stringify(told)).toContain('ECONNRESET');
  });
});

describe('an export', () => {
  test('is plain JSON: no socket, no timer, no listener (original fault 43)', async () => {
    const r = chatting({ wire: 'required', maxConnections: Infinity });
    const { connection } = await r.open(CHAT);
    connection.send({ text: SECRET });
    await r.after(60_000);
    const told = r.service.exportDiagnostics();
    expect(JSON.parse(JSON.stringify(told))).toEqual(told);
    expect(structuredClone(told)).toEqual(told);
    expect(JSON.stringify(told)).not.toContain(SECRET);
    expect(told).toMatchObject({
      version: 1,
      connections: [{ status: { state: 'open' }, health: { grade: 'healthy' } }],
    });
  });
});

describe('a terminal', () => {
  const PASSIVE = 'A socket to a terminal could start another shell.';

  test.each<[what: string, serviceType: string, wish: object, options: Partial<ServiceOptions>, sockets: number]>([
    ['by its id', 'main', { terminalId: 'one' }, {}, 0],
    ['by its name', 'my-Terminal', {}, {}, 0],
    ['as a shell', 'shells', {}, {}, 0],
    ['that may be visited', 'main', { terminalId: 'one' }, { diagnostics: 'socket' }, 1],
    ['that prefers holdfast.v1 and has not shown it', 'main', { terminalId: 'one' }, { wire: 'prefer' }, 0],
    ['that speaks holdfast.v1', 'main', { terminalId: 'one' }, { wire: 'required' }, 1],
    ['that is none', 'main', {}, {}, 1],
    ['that is none, and is not to be visited', 'main', {}, { diagnostics: 'passive' }, 0],
  ])('%s, while it is not open', async (_what, serviceType, wish, options, sockets) => {
    const r = new DiagnosticsRig({ services: { [serviceType]: { url: 'wss://host/', ...options } } });
    r.host.opensMs = null;
    void r.service.connect({ serviceType, ...wish });
    await r.settle();
    const [{ connectionId } = { connectionId: '' }] = r.service.getConnections();
    void r.service.disconnect(connectionId);
    await r.passes(() => r.state(connectionId) === 'closed');
    r.host.opensMs = 30;
    const before = r.sockets.constructions;
    const report = await r.diagnosed(connectionId);
    expect([r.sockets.constructions - before, r.leftovers()]).toEqual([sockets, { ...NOTHING_LEFT, subscribers: 1 }]);
    expect(stepOf(report, 'handshake').verdict).toBe(sockets === 0 ? 'skipped' : 'passed');
    expect(stepOf(report, 'handshake').detail === PASSIVE).toBe(sockets === 0 && options.diagnostics === undefined);
    expect(stepOf(report, 'reachability').verdict).toBe('passed');
  });

  test('that is open is pinged where it is', async () => {
    const r = new DiagnosticsRig();
    const { socket } = await r.open(TERMINAL);
    const report = await r.diagnosed();
    expect([r.sockets.all, socket.sent, socket.pings]).toEqual([[socket], [], 5]);
    expect(verdictsOf(report)).toMatchObject({ handshake: 'passed', roundTrip: 'passed' });
  });

  test('that spoke holdfast.v1 where that is preferred is visited, for a session is what starts a shell there', async () => {
    const r = new DiagnosticsRig({ terminal: { wire: 'prefer' } });
    await r.open(TERMINAL);
    await r.diagnosed();
    expect(r.sockets.all.map(({ sent }) => sent.length > 0)).toEqual([true, false]);
  });

  test('that spoke holdfast.v1 last is not visited without its name, though that is refused', async () => {
    const r = new DiagnosticsRig({ terminal: { wire: 'prefer' } });
    const { id } = await r.open(TERMINAL);
    void r.service.disconnect(id);
    await r.passes(() => r.state() === 'closed');
    r.host.breaks = 'Server sent no subprotocol';
    const before = r.sockets.all.length;
    expect(stepOf(await r.diagnosed(), 'handshake').verdict).toBe('failed');
    expect(r.sockets.all.slice(before).map(({ protocols }) => protocols)).toEqual([['holdfast.v1']]);
  });

  test('whose credentials were not asked for is not said to have none', async () => {
    const r = new DiagnosticsRig({ terminal: { credentials: () => SECRET } });
    const report = await r.diagnosed('terminal');
    expect(stepOf(report, 'authentication')).toMatchObject({
      verdict: 'skipped',
      detail: 'The credentials provider was not asked.',
    });
  });
});
