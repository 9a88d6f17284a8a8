import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { canonicalJson } from '../../src/audit/canonical.ts';
import { REDACTED, Redaction, type RedactionOptions } from '../../src/audit/redaction.ts';

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';

function shown(value: unknown, options?: RedactionOptions) {
  const { text, paths } = new Redaction(options).of(value, 'event');
  return { value: JSON.parse(text) as unknown, paths, text };
}

describe('a text', () => {
  test.each([
    ['a JWT', `got ${JWT} back`, 'got [redacted] back'],
    ['a JWT without its signature', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0', '[redacted]'],
    ['a Bearer token', 'Bearer abc.DEF-123_~+/== x', '[redacted] x'],
    ['a bearer token in any case', 'x BEARER   abc', 'x [redacted]'],
    ['Basic credentials', 'basic dXNlcjpwYXNz', '[redacted]'],
    ['what a URL says of its user', 'at wss://user:pass@host/x', 'at wss://…'],
    ['the path and query of a URL', 'https://host/s3cret?token=1#x failed', 'https://… failed'],
    ['control characters', 'a\nb\u0000c\u007fd\u009fe', 'a b c d e'],
    ['line separators', 'a\u2028b\u2029c', 'a b c'],
    ['direction marks', 'a\u202eb\u2066c\u2069d\u202ae', 'a b c d e'],
  ])('loses %s', (_, text, left) => {
    expect(shown({ note: text })).toMatchObject({ value: { note: left }, paths: ['event.note'] });
    expect(shown([{ note: [text] }]).paths).toEqual(['event.0.note.0']);
  });

  test.each(['plain', 'é€', '\u{1f600} fine', 'wss without a URL', 'host:443/x', 'a bear', 'eyJ', ''])(
    'that hides nothing stays: %s',
    (note) => {
      expect(shown({ note })).toMatchObject({ value: { note }, paths: [] });
    },
  );

  test.each(['reason', 'message', 'stack', 'description'])('for people is withheld as %s, or kept', (key) => {
    expect(shown({ a: { [key]: 'hello' } })).toMatchObject({
      value: { a: { [key]: REDACTED } },
      paths: [`event.a.${key}`],
    });
    const kept = shown({ [key]: `hello ${JWT}` }, { texts: 'kept' });
    expect(kept.value).toEqual({ [key]: 'hello [redacted]' });
    expect(shown({ [key]: '' }).paths).toEqual([]);
    expect(shown({ [key]: { code: 4 } }).value).toEqual({ [key]: { code: 4 } });
  });
});

describe('a value of a secret name', () => {
  const names = [
    ...['token', 'accessToken', 'secret', 'clientSecret', 'password', 'passwd', 'credential', 'credentials'],
    ...['authorization', 'Authorisation', 'auth', 'cookie', 'Set-Cookie', 'apiKey', 'api_key', 'api-key'],
    ...['signature', 'privateKey', 'bearer', 'headers', 'header', 'jwt'],
  ];
  test.each(names)('is withheld, however deep: %s', (name) => {
    for (const value of ['x', { inner: 'x' }, ['x']]) {
      const { value: left, paths } = shown({ list: [{ [name]: value }] });
      expect(left).toEqual({ list: [{ [name]: REDACTED }] });
      expect(paths).toEqual([`event.list.0.${name}`]);
    }
  });

  test.each([1, true, false, null, undefined])('is a fact where it is %s', (token) => {
    expect(shown({ token }).paths).toEqual([]);
  });

  test.each(['fresh', 'kept'])('is what the chart says of credentials: %s', (credentials) => {
    expect(shown({ credentials })).toMatchObject({ value: { credentials }, paths: [] });
  });

  test.each(['author', 'authority', 'key', 'headerless', 'id'])('is not one of another name: %s', (name) => {
    expect(shown({ [name]: 'x' }).paths).toEqual([]);
  });

  test('is withheld among changes of a context, and what is below it', () => {
    const redaction = new Redaction();
    const changes = redaction.ofChanges({
      'b.token': 'x',
      a: 1,
      'credentials.value': 'x',
      'list.0.headers.Cookie': 'x',
    });
    expect(JSON.parse(changes?.text ?? '')).toEqual({
      ...{ a: 1, 'b.token': REDACTED, 'credentials.value': REDACTED, 'list.0.headers.Cookie': REDACTED },
    });
    expect(changes?.paths.toSorted()).toEqual([
      'context.b.token',
      'context.credentials.value',
      'context.list.0.headers.Cookie',
    ]);
    expect(redaction.ofChanges({})).toBeNull();
    expect(redaction.ofChanges({ 'b.token': 1, 'credentials.count': 4 })?.paths).toEqual(['context.credentials.count']);
  });
});

describe('a path that the user names', () => {
  test.each([
    ['event.user', { user: { name: 'x' }, users: 1 }, { user: REDACTED, users: 1 }],
    ['event.user.*', { user: { name: 'x', age: 1 } }, { user: { name: REDACTED, age: REDACTED } }],
    [
      'event.*.name',
      { a: { name: 1 }, b: { name: null, c: 2 } },
      { a: { name: REDACTED }, b: { name: REDACTED, c: 2 } },
    ],
    ['event.list.1', { list: [1, 2, 3] }, { list: [1, REDACTED, 3] }],
    ['event.a', { a: { b: 1 } }, { a: REDACTED }],
    ['context.a', { a: 1 }, { a: REDACTED }],
    ['payload.user', { user: 1 }, { user: 1 }],
  ])('is not written down: %s', (path, value, left) => {
    expect(shown(value, { paths: [path] }).value).toEqual(left);
  });

  test('is not written down of what has changed below it either', () => {
    const redaction = new Redaction({ paths: ['context.user', 'context.*.pin'] });
    const changes = redaction.ofChanges({ 'user.name.first': 'x', 'a.pin': 1, 'a.pin.old': 2, user: 5, 'a.b': 3 });
    expect(JSON.parse(changes?.text ?? '')).toEqual({
      ...{ 'a.b': 3, 'a.pin': REDACTED, 'a.pin.old': REDACTED, user: REDACTED, 'user.name.first': REDACTED },
    });
  });

  test('is listed as it is in the record', () => {
    expect(shown({ a: [{ pin: 1 }], token: 'x' }, { paths: ['event.a.*.pin'] }).paths).toEqual([
      ...['event.a.0.pin', 'event.token'],
    ]);
  });
});

describe('what is no plain value', () => {
  test('is an error, of which name and code stay', () => {
    const error = Object.assign(new TypeError(`no ${JWT}`), { code: 'E1', token: 'x' });
    expect(shown({ error }).value).toEqual({ error: { name: 'TypeError', message: REDACTED, code: 'E1' } });
    expect(shown({ error }, { texts: 'kept' }).value).toMatchObject({ error: { message: 'no [redacted]' } });
  });

  test('is a getter that throws: nothing is written of it all', () => {
    const value = {
      a: 1,
      get b() {
        throw new Error('secret');
      },
    };
    expect(shown(value)).toMatchObject({ value: REDACTED, paths: ['event'] });
    const redaction = new Redaction();
    redaction.of(value, 'event');
    expect(redaction.of({ token: 'x' }, 'event').paths).toEqual(['event.token']);
  });

  test('is binary: only how much it is', () => {
    expect(shown([new ArrayBuffer(3), new Uint8Array(5), new DataView(new ArrayBuffer(2))]).value).toEqual([
      ...['3 bytes', '5 bytes', '2 bytes'],
    ]);
  });

  test('is what JSON cannot hold', () => {
    const ring: Record<string, unknown> = { n: NaN, b: 5n, f: () => 1, u: undefined };
    ring['ring'] = ring;
    expect(shown(ring).text).toBe('{"b":"5","n":null,"ring":null}');
    expect(shown(undefined).text).toBe('null');
  });
});

describe('a payload', () => {
  const payload = { user: 'x', token: 'y' };
  test('is withheld by itself', () => {
    expect(new Redaction().payload(payload)).toBeUndefined();
    expect(new Redaction({ payloads: 'withheld' }).payload(payload)).toBeUndefined();
  });

  test('is kept where that is asked for, but for what opens doors', () => {
    const kept = new Redaction({ payloads: 'kept', paths: ['payload.user'] }).payload(payload);
    expect(kept).toEqual({
      text: '{"token":"[redacted]","user":"[redacted]"}',
      paths: ['payload.token', 'payload.user'],
    });
  });

  test('is what a function leaves of it', () => {
    const redaction = new Redaction({ payloads: (message) => (message === 'no' ? undefined : { kind: message }) });
    expect(redaction.payload('hello')?.text).toBe('{"kind":"hello"}');
    expect(redaction.payload('no')).toBeUndefined();
  });
});

// made once: the first of them takes seconds
const anything = fc.dictionary(
  fc.oneof(fc.string(), fc.constantFrom('token', 'reason')),
  fc.oneof(
    fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(JWT, 'wss://a:b@c/d', 'Bearer x', 'a\nb', 'basic\u0001b')),
    fc.jsonValue(),
  ),
);

test('the same becomes the same, and what is left is left again', () => {
  fc.assert(
    fc.property(anything, (given) => {
      const redaction = new Redaction();
      const once = redaction.of(given, 'event').text;
      expect(redaction.of(structuredClone(given), 'event').text).toBe(once);
      expect(redaction.of(JSON.parse(once), 'event').text).toBe(once);
      expect(canonicalJson(JSON.parse(once))).toBe(once);
    }),
  );
});

test.each([
  [{ paths: 'event' }, 'paths'],
  [{ paths: ['event'] }, 'paths'],
  [{ paths: ['actor.a'] }, 'paths'],
  [{ paths: ['event.a..b'] }, 'paths'],
  [{ paths: [''] }, 'paths'],
  [{ texts: 'all' }, 'texts'],
  [{ payloads: true }, 'payloads'],
  [{ payload: 'kept' }, 'payload'],
])('bad options are refused: %o', (options, name) => {
  expect(() => new Redaction(options as never)).toThrow(new RegExp(`Invalid options: ${name}: `));
});

test.each([
  ['Bearer\u0001s3cr3t', 'Bearer s3cr3t'],
  ['Bearer wss://user:s3cr3t@host/x', 's3cr3t'],
  ['eyJa.b://user:s3cr3t@host', 's3cr3t'],
])('a token that hides is found: %j', (text, secret) => {
  expect(new Redaction().of({ detail: text }, 'event').text).not.toContain(secret);
});
