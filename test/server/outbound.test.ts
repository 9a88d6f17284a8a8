import { expect, test } from 'vitest';

import { outbound } from '../../src/server/outbound.ts';

test('a value is JSON, bytes are a copy of theirs', () => {
  const bytes = new Uint8Array([1, 2]);
  const message = outbound(bytes);
  bytes.fill(0);
  expect(message).toEqual({ data: new Uint8Array([1, 2]), bytes: 2, metaBytes: 0 });
  expect(outbound(new Uint8Array([3]).buffer).data).toEqual(new Uint8Array([3]));
  expect(outbound('grüße')).toEqual({ data: '"grüße"', bytes: 9, metaBytes: 0 });
  expect(outbound({ a: 1 }).data).toBe('{"a":1}');
});

test('what travels with it is what was said', () => {
  const options = { type: 't', headers: { h: '1' }, key: 'k', channel: 'c' };
  const { meta, metaBytes } = outbound(1, options, { ids: { r: 'q' } });
  expect(meta).toEqual({ r: 'q', k: 'k', n: 't', h: { h: '1' }, c: 'c' });
  expect(metaBytes).toBe(JSON.stringify(meta).length);
});

test.each([
  ['a function', () => 1, {}],
  ['an empty key', 1, { key: '' }],
  ['a type that is too long', 1, { type: 'x'.repeat(257) }],
  ['headers that are no texts', 1, { headers: { a: 1 as never } }],
])('%s cannot travel', (_what, data, options) => {
  expect(() => outbound(data, options)).toThrow(expect.objectContaining({ code: 'NOT_ENCODABLE' }));
});
