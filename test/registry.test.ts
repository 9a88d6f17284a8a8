import { describe, expect, test } from 'vitest';

import type { ServiceOptions } from '../src/options.ts';
import { fateOf, rig, type Fate, type Rig } from './support/service.ts';

const wish = (key: string): { serviceType: string; key: string } => ({ serviceType: 'chat', key });
const chat = (options: Partial<ServiceOptions> = {}): { services: Record<string, ServiceOptions> } => ({
  services: { chat: { url: 'wss://host/chat', maxConnections: 2, ...options } },
});

async function two(): Promise<Rig> {
  const r = rig(chat());
  await r.open(wish('a'));
  await r.open(wish('b'));
  return r;
}

describe('a service with as many connections as it may have', () => {
  test('refuses one more with a typed error, and makes nothing for it (original fault 33)', async () => {
    const r = await two();
    await expect(r.service.connect(wish('c'))).rejects.toMatchObject({
      name: 'ConfigurationError',
      code: 'CONNECTION_LIMIT',
      serviceType: 'chat',
    });
    expect([r.sockets.all.length, r.service.getConnectionStatus('chat:key=c')]).toEqual([2, null]);
  });

  test('says of which service it is, and how many it may have', async () => {
    const r = await two();
    await expect(r.service.connect(wish('c'))).rejects.toThrow(
      'The service "chat" has as many connections in use as it may have: 2.',
    );
  });

  test('goes on with those that it has, lost or not', async () => {
    const r = await two();
    await r.service.connect(wish('b'));
    r.sockets.last.ends(1006);
    await r.settle();
    const again = fateOf(r.service.connect(wish('b')));
    await r.settle();
    r.sockets.last.opens();
    await r.settle();
    expect(again.kind).toBe('resolved');
  });

  test('counts no connection that is closed or failed (original fault 23)', async () => {
    const r = await two();
    r.sockets.last.ends(4403);
    await r.settle();
    expect(r.state('chat:key=b')).toBe('failed');
    await r.open(wish('c'));
    void r.service.disconnect('chat:key=a');
    await r.clock.advanceAsync(10_000);
    await r.open(wish('d'));
    expect(r.service.getConnections().map(({ state }) => state)).toEqual(['closed', 'failed', 'open', 'open']);
  });

  test('counts one again that is connected again, through its object as well', async () => {
    const r = await two();
    const a = r.service.connection('chat:key=a');
    void a.close();
    await r.clock.advanceAsync(10_000);
    await r.open(wish('c'));
    await expect(a.connect()).rejects.toMatchObject({ code: 'CONNECTION_LIMIT' });
    expect(a.status.state).toBe('closed');
    void r.service.disconnect('chat:key=c');
    await r.clock.advanceAsync(10_000);
    await r.open(wish('a'));
    await expect(r.service.connect(wish('d'))).rejects.toMatchObject({ code: 'CONNECTION_LIMIT' });
  });

  test('counts one that is closing until it is closed, and has room for another by the time that is told', async () => {
    const r = await two();
    const fates: Fate<string>[] = [];
    const connect = (): unknown => fates.push(fateOf(r.service.connect(wish('c'))));
    r.service.on('status', ({ current }) => current === 'closed' && connect());
    void r.service.disconnect('chat:key=a');
    connect();
    await r.clock.advanceAsync(10_000);
    expect(fates).toMatchObject([{ error: { code: 'CONNECTION_LIMIT' } }, { kind: 'pending' }]);
    expect(r.state('chat:key=c')).toBe('connecting');
  });

  test('takes more when it is told that it may', async () => {
    const r = await two();
    r.service.updateConfig({ services: { chat: { maxConnections: 3 } } });
    await r.open(wish('c'));
    expect(r.state('chat:key=c')).toBe('open');
  });

  test('does not count the connection that carries a pool', async () => {
    const r = rig(chat({ pool: 'p', wire: 'required' }));
    for (const key of ['a', 'b']) void r.service.connect(wish(key));
    await r.settle();
    expect(r.state('pool:p')).toBe('connecting');
    await expect(r.service.connect(wish('c'))).rejects.toMatchObject({ code: 'CONNECTION_LIMIT' });
  });
});

describe('a connection that was forgotten', () => {
  test('has no part in one of the same id that was made since, and takes no place of another', async () => {
    const r = rig({ ...chat({ maxConnections: 1 }), maxInactive: 0 });
    const { connection: old, socket } = await r.open(wish('a'));
    socket.ends(4403);
    await r.settle();
    await expect(old.connect()).rejects.toMatchObject({ code: 'UNKNOWN_CONNECTION' });
    const { connection } = await r.open(wish('a'));
    expect(connection).not.toBe(old);
    await expect(old.connect()).rejects.toMatchObject({ code: 'UNKNOWN_CONNECTION' });
    expect([old.status.state, connection.status.state]).toEqual(['failed', 'open']);
  });
});

test('a connection that is wanted with other parameters is named in the refusal', async () => {
  const r = await two();
  const other = r.service.connect({ ...wish('a'), params: { room: 'secret' } });
  await expect(other).rejects.toMatchObject({
    code: 'CONNECTION_CONFLICT',
    connectionId: 'chat:key=a',
    message: 'A connection with the id "chat:key=a" exists with other parameters.',
  });
});
