import { describe, expect, test } from 'vitest';

import { startClient } from '../support/client.ts';
import { freePort } from '../support/server.ts';
import { startServerProcess } from '../support/server-process.ts';

describe('a server process', () => {
  test('that is killed and started again on its port gets its clients back (original fault 5) (pain 28)', async () => {
    const server = await startServerProcess();
    const client = startClient({ url: server.url });
    await client.connect();
    await client.service.sendMessage('main', 'to the first');
    await client.nth('message', 1);

    await server.kill();
    expect(await client.nth('closed', 1)).toMatchObject({ code: 1006, initiator: 'network' });
    const sent = client.service.sendMessage('main', 'to the second');
    await client.nth('retrying', 3);
    expect(
      client
        .of('error')
        .map(({ code }) => code)
        .slice(0, 3),
    ).toEqual(['CONNECTION_LOST', 'HANDSHAKE_FAILED', 'HANDSHAKE_FAILED']);

    await startServerProcess(server.port);
    await client.nth('opened', 2);
    await sent;
    await client.nth('message', 2);
    expect(client.messages).toEqual(['to the first', 'to the second']);
  });

  test('that is down at first is connected to once it is up (pain 28)', async () => {
    const port = await freePort();
    const client = startClient({ url: `ws://127.0.0.1:${port}` });
    const connecting = client.connect();
    const sent = connecting.then((id) => client.service.sendMessage(id, 'at last'));
    await client.nth('retrying', 2);
    await startServerProcess(port);
    await sent;
    expect(await client.nth('message', 1)).toMatchObject({ data: 'at last' });
  });

  test('that dies again and again never gets two sockets of one connection', async () => {
    let server = await startServerProcess();
    const { port } = server;
    const client = startClient({ url: server.url });
    await client.connect();
    for (let life = 2; life <= 4; life++) {
      await server.kill();
      await client.nth('closed', life - 1);
      server = await startServerProcess(port);
      await client.nth('opened', life);
      await client.service.sendMessage('main', `life ${life}`);
      await client.nth('message', life - 1);
    }
    expect(client.messages).toEqual(['life 2', 'life 3', 'life 4']);
    expect(client.of('closed')).toHaveLength(3);
  });
});
