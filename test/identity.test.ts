import { describe, expect, expectTypeOf, test } from 'vitest';

import {
  idOf,
  wishOf,
  type ConnectionId,
  type InboundAt,
  type InboundOf,
  type OutboundAt,
  type OutboundOf,
} from '../src/identity.ts';
import type { InboundData } from '../src/errors.ts';
import type { Profile } from '../src/protocol/profile.ts';
import type { Say } from './support/schemas.ts';

describe('the id of a connection', () => {
  test.each([
    [{ serviceType: 'main' }, 'main'],
    [{ serviceType: 'terminal', terminalId: 'one' }, 'terminal:one'],
    [{ serviceType: 'chat', sessionId: 's' }, 'chat:session=s'],
    [{ serviceType: 'chat', terminalId: 't', sessionId: 's', key: 'k' }, 'chat:t:session=s:key=k'],
  ])('of %j is %s', (options, id) => {
    expect(idOf(options)).toBe(id);
  });

  test('is the same for wishes that differ in their parameters, which is why those are compared', () => {
    const [one, other] = [{ a: '1' }, { a: '2' }].map((params) => ({ serviceType: 'main', params }));
    expect([
      idOf(one ?? { serviceType: '' }),
      wishOf(one ?? { serviceType: '' }) === wishOf(other ?? { serviceType: '' }),
    ]).toEqual(['main', false]);
  });

  test('and the wish do not depend on the order of parameters', () => {
    expect(wishOf({ serviceType: 'x', params: { a: '1', b: '2' } })).toBe(
      wishOf({ serviceType: 'x', params: { b: '2', a: '1' } }),
    );
    expect(wishOf({ serviceType: 'x' })).toBe(wishOf({ serviceType: 'x', params: {} }));
  });

  test('knows for TypeScript what its service sends and receives', () => {
    interface Types {
      chat: { url: string; profile: Profile<Say, string> };
      raw: { url: string };
      [type: string]: { url: string; profile?: Profile };
    }
    expectTypeOf<InboundOf<Types['chat']>>().toEqualTypeOf<Say>();
    expectTypeOf<OutboundOf<Types['chat']>>().toEqualTypeOf<string>();
    expectTypeOf<InboundOf<Types['raw']>>().toEqualTypeOf<InboundData>();
    expectTypeOf<InboundAt<Types, ConnectionId<'chat'>>>().toEqualTypeOf<Say>();
    expectTypeOf<OutboundAt<Types, ConnectionId<'chat'>>>().toEqualTypeOf<string>();
    expectTypeOf<InboundAt<Types, string>>().toEqualTypeOf<InboundData>();
    expectTypeOf<OutboundAt<Types, string>>().toEqualTypeOf<unknown>();
  });
});
