import { describe, expect, test } from 'vitest';

import { nodeSockets } from './support/fake-socket.ts';
import { fateOf, rig, Rig, TERMINAL } from './support/service.ts';

describe('a WebSocket constructor that throws', () => {
  test.each([
    ['a SyntaxError', new SyntaxError('bad URL')],
    ['a DOMException of that name', new DOMException('bad URL', 'SyntaxError')],
  ])('%s ends the connection: the address can never work (pain 45)', async (_what, error) => {
    const r = rig();
    r.sockets.constructorError = error;
    const fate = fateOf(r.service.connect(TERMINAL));
    await r.clock.advanceAsync(600_000);
    expect(fate.error).toMatchObject({ name: 'ConfigurationError', code: 'INVALID_URL', retryable: false });
    expect([r.state(), r.sockets.constructions]).toEqual(['failed', 1]);
  });

  test.each([
    ['a SecurityError', new DOMException('mixed content', 'SecurityError')],
    ['an Error', new Error('too many sockets')],
    ['what is no error', 'nonsense' as unknown as Error],
  ])('%s is a passing trouble, and is retried (pain 45)', async (_what, error) => {
    const r = rig();
    r.sockets.constructorError = error;
    const fate = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    expect(r.of('error')).toMatchObject([{ code: 'WEBSOCKET_FAILED', retryable: true }]);
    r.sockets.constructorError = undefined;
    await r.passBackoff();
    r.sockets.last.opens();
    await r.settle();
    expect([fate.kind, r.sockets.constructions]).toEqual(['resolved', 2]);
  });
});

describe('a WebSocket that is none', () => {
  test('ends the connection, and is not blamed on the URL (pain 45)', async () => {
    const r = rig();
    r.sockets.constructorError = new TypeError('WebSocket is not a constructor');
    const fate = fateOf(r.service.connect(TERMINAL));
    await r.clock.advanceAsync(600_000);
    expect(fate.error).toMatchObject({ code: 'WEBSOCKET_FAILED', retryable: false });
    expect([r.state(), r.sockets.constructions]).toEqual(['failed', 1]);
  });
});

describe('a socket in use', () => {
  test('whose close throws is given up at the deadline, and the throw is reported (pain 35)', async () => {
    const r = rig({ terminal: { closeTimeoutMs: 500 } });
    const { id, socket } = await r.open();
    socket.close = () => {
      throw new Error('frozen');
    };
    const closing = fateOf(r.service.disconnect(id));
    await r.clock.advanceAsync(500);
    expect([closing.kind, r.state(), r.bugs[0]?.cause]).toEqual(['resolved', 'closed', new Error('frozen')]);
  });

  describe.each(['bufferedAmount', 'readyState', 'extensions'] as const)('whose %s cannot be read any more', (name) => {
    const breaks = (socket: object): unknown =>
      Object.defineProperty(socket, name, {
        get: () => {
          throw new Error('frozen');
        },
      });

    test('is given up and told of once, and what waits leaves by the next', async () => {
      const r = rig();
      const { id, socket } = await r.open();
      breaks(socket);
      const sent = fateOf(r.service.sendMessage(id, 'x'));
      await r.settle();
      expect([r.state(), r.of('error')]).toMatchObject([
        'backoff',
        [{ code: 'CONNECTION_LOST', message: expect.stringContaining(name) as string }],
      ]);
      await r.reopen();
      expect([r.state(), sent.kind, r.of('error').length, r.bugs]).toEqual(['open', 'resolved', 1, []]);
    });

    test('leaves what is in it in doubt', async () => {
      const r = rig();
      const { id, socket } = await r.open();
      socket.holds = true;
      const sent = fateOf(r.service.sendMessage(id, 'x'));
      await r.settle();
      breaks(socket);
      const second = fateOf(r.service.sendMessage(id, 'y'));
      await r.clock.advanceAsync(50);
      expect([sent.error, socket.sent[0]]).toMatchObject([{ code: 'OUTCOME_UNKNOWN' }, 'x']);
      await r.reopen();
      expect(second.kind).not.toBe('pending');
    });

    test('leaves a service that can be destroyed, with nothing left', async () => {
      const r = rig();
      const { id, socket } = await r.open();
      const sent = fateOf(r.service.sendMessage(id, 'x'));
      breaks(socket);
      await r.destroy();
      expect(sent.kind).not.toBe('pending');
      expect([r.clock.pending(), r.signals.subscribers, r.bugs]).toEqual([0, 0, []]);
    });
  });

  test('has the peer’s words tamed: control characters are spaces, and the length is bounded', async () => {
    const r = rig();
    await r.open();
    r.sockets.last.errs(`\u001b[31mred\u0007${'x'.repeat(500)}`);
    r.sockets.last.ends(1006, `a\nb${'y'.repeat(500)}`);
    await r.settle();
    const { closeReason, message } = r.of('error')[0] as unknown as { closeReason: string; message: string };
    expect(closeReason).toBe(`a b${'y'.repeat(197)}`);
    // eslint-disable-next-line no-control-regex -- naming them is the point
    expect(message).not.toMatch(/[\u0000-\u001f]/);
    expect(message.length).toBeLessThan(600);
  });

  test('hands a handshake’s HTTP status on, where the platform tells it in words', async () => {
    const r = new Rig(nodeSockets(), {});
    void r.service.connect(TERMINAL);
    await r.settle();
    r.sockets.last.errs('Unexpected server response: 401');
    r.sockets.last.ends(1006);
    await r.settle();
    expect(r.status().lastError).toMatchObject({
      code: 'HANDSHAKE_FAILED',
      message: expect.stringContaining('Unexpected server response: 401') as string,
    });
  });
});

describe('decide', () => {
  test('is asked of each failure of a provider or a socket, with a copy that it may spoil', async () => {
    const asked: string[] = [];
    const r = rig({
      terminal: {
        credentials: { get: () => (asked.length === 0 ? Promise.reject(new Error('no')) : 'token') },
        url: () => (asked.length === 1 ? Promise.reject(new Error('no')) : 'wss://host/'),
        decide: (failure) => {
          asked.push(failure.code);
          failure.code = 'LINK_DEAD';
          failure.strategy = 'manual';
          return undefined;
        },
      },
    });
    await connectThrough(r, 2);
    r.sockets.last.opens();
    await r.settle();
    r.sockets.last.ends(1006);
    await r.settle();
    expect(asked).toEqual(['CREDENTIALS_FAILED', 'URL_FAILED', 'CONNECTION_LOST']);
    expect([r.state(), r.status().lastError?.code]).toEqual(['backoff', 'CONNECTION_LOST']);
  });
});

async function connectThrough(r: Rig, failures: number): Promise<void> {
  void r.service.connect(TERMINAL);
  await r.settle();
  for (let failure = 1; failure <= failures; failure++) await r.passBackoff();
}

describe('a callback that gives a promise where none is waited for', () => {
  const rejects = (() => Promise.reject(new Error('too late'))) as never;

  test('as the decision on a failure leaves the classification, and is reported with its rejection (pain 46)', async () => {
    const r = rig({ terminal: { decide: rejects } });
    await r.open();
    r.sockets.last.ends(1006);
    await r.settle();
    expect(r.state()).toBe('backoff');
    expect(r.bugs).toMatchObject([
      { code: 'LISTENER_THREW', cause: { name: 'TypeError' } },
      { code: 'LISTENER_THREW', cause: { message: 'too late' } },
    ]);
  });

  test('as a ping sends nothing, and its rejection is reported (pain 46)', async () => {
    const r = rig({ terminal: { heartbeat: { intervalMs: 100, ping: rejects } } });
    const { socket } = await r.open();
    await r.clock.advanceAsync(100);
    expect([socket.sent, r.bugs]).toMatchObject([[], [{ code: 'LISTENER_THREW', cause: { message: 'too late' } }]]);
  });

  test('as subprotocols is waited for, as the URL is', async () => {
    const r = rig({ terminal: { protocols: () => Promise.resolve(['v1']) } });
    void r.service.connect(TERMINAL);
    await r.settle();
    expect(r.sockets.last.protocols).toEqual(['v1']);
  });
});
