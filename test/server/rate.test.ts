import { expect, test } from 'vitest';

import { startWireServer } from '../support/wire-server.ts';

test('a client has no more to send for coming back by another socket', async () => {
  const { join, resume, settle } = startWireServer({ limits: { messagesPerSecond: 4 } });
  const client = await join();
  // twice as many at once, and the hello is one
  client.says('1[1,2,3,4,5,6,7]');
  await settle();
  client.leave();
  const next = await resume(client, { hi: 7 });
  expect(next.welcome).toMatchObject({ resumed: true, rx: 0 });
  next.says('1[1]');
  await settle();
  expect([client.closed, next.closed?.code]).toEqual([undefined, 4101]);
});
