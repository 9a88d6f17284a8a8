import { expect, test } from 'vitest';

import { jsonProfile } from '../src/protocol/profile.ts';
import { WireRig } from './support/server-script.ts';

test('a new session that was lost before it was greeted is greeted when it goes on, though the one before was greeted', async () => {
  let calls = 0;
  const onOpen = (): unknown[] | Promise<never> =>
    ++calls === 2 ? new Promise<never>(() => undefined) : [{ subscribe: 'news' }];
  const r = new WireRig({ terminal: { profile: { ...jsonProfile, onOpen } } });
  const { server } = await r.join();
  server.acks(1);
  await r.drops();
  const fresh = await r.redial();
  fresh.welcome({ sid: 's2', why: 'unknown' });
  await r.settle();
  await r.drops();
  const resumed = await r.redial();
  resumed.welcome({ sid: 's2', gen: 2, resumed: true });
  await r.settle();
  expect([server.messages, fresh.messages, resumed.messages]).toEqual([
    [[1, { subscribe: 'news' }]],
    [],
    [[1, { subscribe: 'news' }]],
  ]);
});
