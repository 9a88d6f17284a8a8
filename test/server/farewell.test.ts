import { expect, test } from 'vitest';

import { sayGoodbye, type Farewell } from '../../src/server/farewell.ts';
import type { Link } from '../../src/server/link.ts';

function said(farewell: Omit<Farewell, 'accepted'>, accepted = 0): unknown[] {
  const did: unknown[] = [];
  const link = {
    send: (frame: unknown) => did.push(frame),
    close: (code: number, reason: string) => did.push([code, reason]),
  };
  sayGoodbye(link as unknown as Link, { ...farewell, accepted });
  return did;
}

test('a session that the application ends is ended for the client too, which hears first what was accepted', () => {
  expect(said({ why: 'closed', text: 'done' }, 7)).toEqual([
    { t: 'ack', a: 7 },
    { t: 'bye', keep: false, why: 'done' },
    [4000, 'done'],
  ]);
  expect(said({ why: 'closed', code: 4003 })).toEqual([{ t: 'bye', keep: false }, [4003, 'bye']]);
});

test.each([
  ['expired', 4301],
  ['closed_by_peer', 4000],
  ['taken_over', 4004],
  ['overflow', 4301],
  ['released', 4200],
] as const)('a session that is %s is closed with %d, and nothing else is said', (why, code) => {
  expect(said({ why }, 7)).toEqual([[code, expect.any(String)]]);
});
