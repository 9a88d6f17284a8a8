import { expect, test } from 'vitest';

import type { LiveSession } from '../../src/server/live-session.ts';
import { Registry } from '../../src/server/registry.ts';

const session = (id: string, principal: string, nonce: string | null): LiveSession =>
  ({ id, principal, nonce }) as unknown as LiveSession;

test('sessions are found by id, by principal, and by what their client calls them', () => {
  const registry = new Registry();
  const [a, b] = [session('s1', 'ann', 'n'), session('s2', 'ann', 'm')];
  registry.add(a);
  registry.add(b);
  expect([registry.byId('s1'), registry.byNonce({ principal: 'ann', nonce: 'm' })]).toEqual([a, b]);
  expect([registry.of('ann'), registry.countOf('ann'), registry.countOf('bob'), registry.of('bob')]).toEqual([
    [a, b],
    2,
    0,
    [],
  ]);
  expect(registry.byNonce({ principal: 'bob', nonce: 'm' })).toBeUndefined();
  registry.remove(a);
  registry.remove(a);
  expect([registry.all, registry.byId('s1'), registry.countOf('ann')]).toEqual([[b], undefined, 1]);
  registry.remove(b);
  expect([registry.all, registry.countOf('ann')]).toEqual([[], 0]);
});

test('what took the place of another stays when that is removed', () => {
  const registry = new Registry();
  const [old, young] = [session('s1', 'ann', 'n'), session('s1', 'ann', 'n')];
  registry.add(old);
  registry.add(young);
  registry.remove(old);
  expect([registry.byId('s1'), registry.byNonce(young), registry.of('ann')]).toEqual([young, young, [young]]);
});

test('a session whose name is not known here is found by nothing else', () => {
  const registry = new Registry();
  registry.add(session('s1', 'ann', null));
  expect([registry.byNonce({ principal: 'ann', nonce: null }), registry.byId('s1')?.id]).toEqual([undefined, 's1']);
});

test('a principal has so many places, and one that is kept for a session which comes is its own', () => {
  const registry = new Registry();
  const [n, m] = [
    { principal: 'ann', nonce: 'n' },
    { principal: 'ann', nonce: 'm' },
  ];
  const giveBack = registry.reserve(n, 1);
  expect([registry.reserve(m, 1), registry.reserve({ ...m, principal: 'bob' }, 1)]).toEqual([
    null,
    expect.any(Function),
  ]);
  // the same session, asked for again
  const again = registry.reserve(n, 1);
  giveBack?.();
  expect(registry.reserve(m, 1)).toBeNull();
  const ann = session('s1', 'ann', 'n');
  registry.add(ann);
  expect([registry.reserve(m, 1), registry.reserve(m, 2)]).toEqual([null, expect.any(Function)]);
  again?.();
  registry.remove(ann);
  expect(registry.reserve(n, 2)).not.toBeNull();
  expect(registry.reserve({ ...n, nonce: 'o' }, 2)).toBeNull();
});
