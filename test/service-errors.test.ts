import { describe, expect, test } from 'vitest';

import { ConnectionError, type HoldfastError } from '../src/errors.ts';
import { jsonProfile } from '../src/protocol/profile.ts';
import { rig, TERMINAL, type Rig } from './support/service.ts';

const codes = (r: Rig): string[] => r.service.getErrorHistory().map(({ code }) => code);
const total = (r: Rig): number => r.service.getErrorStatistics().total;

describe('the errors of a service', () => {
  test('are counted once each, though a failed attempt has an error event and a close of the socket (original fault 40)', async () => {
    const r = rig();
    void r.service.connect(TERMINAL);
    await r.settle();
    for (let attempt = 1; attempt <= 3; attempt++) {
      r.sockets.last.errs('refused');
      r.sockets.last.ends(1006);
      await r.settle();
      expect([total(r), r.of('error').length]).toEqual([attempt, attempt]);
      await r.passBackoff();
    }
    r.sockets.last.opens();
    await r.settle();
    r.sockets.last.ends(1006);
    await r.settle();
    expect(codes(r)).toEqual(['HANDSHAKE_FAILED', 'HANDSHAKE_FAILED', 'HANDSHAKE_FAILED', 'CONNECTION_LOST']);
    expect(r.service.getErrorStatistics()).toMatchObject({
      total: 4,
      recoverable: 4,
      byCategory: { connection_failed: 3, network_error: 1 },
      byServiceType: { terminal: 4 },
    });
  });

  test('are told apart by their kind (original fault 33)', async () => {
    const r = rig({ terminal: { connectTimeoutMs: 1_000, retry: { maxRetries: 0 } } });
    const ends = async (code: number): Promise<void> => {
      await r.open();
      r.sockets.last.ends(code);
      await r.settle();
    };
    for (const code of [1006, 1011, 1013, 4401, 1008, 4404, 1002, 1007]) await ends(code);
    void r.service.connect(TERMINAL);
    await r.clock.advanceAsync(1_000);
    expect(r.service.getErrorStatistics().byCategory).toEqual({
      network_error: 1,
      service_unavailable: 1,
      rate_limited: 1,
      authentication_failed: 1,
      permission_denied: 1,
      resource_not_found: 1,
      protocol_error: 1,
      invalid_message: 1,
      timeout: 1,
    });
    expect(total(r)).toBe(9);
  });

  test('are those of one instance: another has its own, and clearing one leaves the other (original fault 37)', async () => {
    const [one, other] = [rig(), rig()];
    await one.open();
    one.sockets.last.ends(1006);
    await one.settle();
    expect([total(one), codes(one)]).toEqual([1, ['CONNECTION_LOST']]);
    expect([total(other), codes(other)]).toEqual([0, []]);
    other.service.clearErrorHistory();
    expect(total(one)).toBe(1);
    await one.clock.advanceAsync(1_000);
    one.service.clearErrorHistory();
    expect([total(one), codes(one)]).toEqual([0, []]);
    expect(one.service.getErrorStatistics().since).toBe(one.clock.now());
  });

  test('are not what the application itself asked for: closing, aborting, taking back (original fault 37)', async () => {
    const r = rig();
    const abort = new AbortController();
    const aborted = r.service.connect({ ...TERMINAL, signal: abort.signal });
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'CONNECT_ABORTED' });
    const { connection } = await r.open();
    connection.pause();
    connection.send('cancelled').cancel();
    connection.send('aborted', { signal: AbortSignal.abort() });
    connection.send('older', { coalesceKey: 'k' });
    connection.send('newer', { coalesceKey: 'k' });
    connection.purgeQueue();
    const closed = connection.close();
    await r.settle();
    r.sockets.last.ends(1000);
    await closed;
    await r.destroy();
    expect([total(r), r.of('undelivered').length]).toEqual([0, 4]);
  });

  test('are also messages that were not sent, frames that could not be read, and bugs, each once', async () => {
    const r = rig({ terminal: { profile: jsonProfile, queue: { maxMessages: 1 } }, onError: null });
    const { connection, socket } = await r.open();
    connection.subscribe(() => {
      throw new Error('a bug');
    });
    socket.says('{');
    socket.says('1');
    connection.pause();
    connection.send(1);
    connection.send(2);
    connection.send(3n);
    await r.settle();
    expect(codes(r).toSorted()).toEqual(['LISTENER_THREW', 'NOT_DECODABLE', 'NOT_ENCODABLE', 'QUEUE_FULL']);
    expect(r.of('error').map(({ code }) => code)).toEqual(['NOT_DECODABLE', 'LISTENER_THREW']);
    expect(r.service.getErrorStatistics().byCategory).toEqual({ invalid_message: 2, queue: 1, fault: 1 });
  });

  test.each([
    ['1008 forbids one', [1008], {}, 'CLOSED_BY_PEER'],
    ['4403 forbids one', [4403], {}, 'CLOSED_BY_PEER'],
    ['recovery is off', [1006], { enableAutoRecovery: false }, 'CONNECTION_LOST'],
    ['all have been made', [1006, 1006], { terminal: { retry: { maxRetries: 1 } } }, 'RETRIES_EXHAUSTED'],
  ])('are fatal where no retry follows because %s, wherever they are told', async (_why, ends, options, code) => {
    const r = rig(options);
    await r.open();
    for (const [index, end] of ends.entries()) {
      if (index > 0) await r.reopen();
      r.sockets.last.ends(end);
      await r.settle();
    }
    const told = [r.of('error').at(-1), r.status().lastError, r.service.getErrorHistory().at(-1)];
    expect(r.of('gaveUp')).toMatchObject([{ error: { code, severity: 'fatal' } }]);
    expect(told.map((error) => error?.severity)).toEqual(['fatal', 'fatal', 'fatal']);
    expect(JSON.parse(JSON.stringify(r.of('error').at(-1)))).toMatchObject({ severity: 'fatal', retryable: false });
  });

  test('are warnings where a retry follows, and where the application ends what was lost', async () => {
    const r = rig();
    const { connection } = await r.open();
    r.sockets.last.ends(1006);
    await r.settle();
    await connection.close();
    expect(r.of('error').map(({ severity }) => severity)).toEqual(['warning']);
    expect(r.status()).toMatchObject({ state: 'closed', lastError: { severity: 'warning' } });
  });

  test('are kept up to a bound, which can change, and can be asked for by kind', async () => {
    const r = rig({ errorHistory: 2 });
    await r.open();
    for (let loss = 1; loss <= 3; loss++) {
      r.sockets.last.ends(1006);
      await r.settle();
      await r.reopen();
    }
    await r.open({ serviceType: 'chat' });
    r.sockets.last.ends(1013);
    await r.settle();
    expect(r.service.getErrorHistory()).toMatchObject([
      { code: 'CONNECTION_LOST', connectionId: 'terminal:one', strategy: 'reconnect', retryable: true },
      { code: 'CLOSED_BY_PEER', connectionId: 'chat', at: r.clock.now(), strategy: 'wait', retryAfterMs: 5_000 },
    ]);
    expect(r.service.getErrorHistory({ serviceType: 'chat' })).toHaveLength(1);
    expect(r.service.getErrorHistory({ category: 'network_error', limit: 5 })).toHaveLength(1);
    expect(() => r.service.getErrorHistory({ limit: -1 })).toThrow(/limit/);
    r.service.updateConfig({ errorHistory: 0 });
    expect([codes(r), total(r)]).toEqual([[], 4]);
  });

  test('can be asked about after the end', async () => {
    const r = rig();
    await r.open();
    r.sockets.last.ends(1006);
    await r.settle();
    await r.destroy();
    expect([codes(r), total(r)]).toEqual([['CONNECTION_LOST'], 1]);
  });
});

describe('an error of a service, told to people', () => {
  const leaked = 'wss://user:secret@host/?token=secret';

  async function lost(options: Parameters<typeof rig>[0]): Promise<{ r: Rig; error: HoldfastError }> {
    const r = rig(options);
    await r.open();
    r.sockets.last.ends(1013, leaked);
    await r.settle();
    return { r, error: r.of('error')[0] ?? new ConnectionError('CONNECTION_LOST') };
  }

  test('names the service by its label, and quotes nobody', async () => {
    const { r, error } = await lost({ terminal: { label: 'The terminal' } });
    expect(r.service.describe(error)).toBe('The terminal is busy. Please wait a moment.');
    expect(JSON.stringify(error)).not.toContain('secret');
  });

  test('is in the words of the application, which it may change', async () => {
    const { r, error } = await lost({ userMessages: { rate_limited: '{service} ist ausgelastet.' } });
    expect(r.service.describe(error)).toBe('terminal ist ausgelastet.');
    r.service.updateConfig({
      services: { terminal: { label: 'Konsole' } },
      userMessages: { CLOSED_BY_PEER: ({ category }, label) => `${label}: ${category}` },
    });
    expect(r.service.describe(error)).toBe('Konsole: rate_limited');
  });

  test('is the default where the application’s function throws, and that is a bug of its own', async () => {
    const { r, error } = await lost({
      userMessages: {
        rate_limited: () => {
          throw new Error('a bug');
        },
      },
    });
    expect(r.service.describe(error)).toBe('terminal is busy. Please wait a moment.');
    await r.settle();
    expect(r.bugs.map(({ code }) => code)).toEqual(['LISTENER_THREW']);
  });

  test.each([
    ['userMessages: must be an object', { userMessages: 'sorry' }],
    ['userMessages.timeout: must be a text or a function', { userMessages: { timeout: 1 } }],
    ['userMessages.weather: unknown option', { userMessages: { weather: 'rain' } }],
    ['errorHistory: must be a whole number of at least 0', { errorHistory: -1 }],
    ['services.terminal.label: must be a string that is not empty', { terminal: { label: '' } }],
  ])('needs options that hold: %s', (problem, options) => {
    expect(() => rig(options as object)).toThrow(problem);
  });
});
