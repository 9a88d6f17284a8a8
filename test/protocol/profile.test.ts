import { describe, expect, expectTypeOf, test } from 'vitest';

import { InboundError, MessageError } from '../../src/errors.ts';
import {
  bytesProfile,
  decodeWith,
  defineProfile,
  encodeWith,
  JsonPayload,
  jsonProfile,
  plainProfile,
  textProfile,
  type Payload,
  type Profile,
} from '../../src/protocol/profile.ts';
import { sayings, type Say } from '../support/schemas.ts';

const bytes = (...values: number[]): ArrayBuffer => Uint8Array.of(...values).buffer;
const anyProfile = (codec: Profile['codec']): Profile => ({ codec });

function encodingFailure(profile: Pick<Profile, 'codec' | 'outbound'>, message: unknown): unknown {
  try {
    return encodeWith(profile, message);
  } catch (error) {
    return error;
  }
}

function decodingFailure(profile: Pick<Profile, 'codec' | 'inbound'>, data: Payload): unknown {
  try {
    return decodeWith(profile, data);
  } catch (error) {
    return error;
  }
}

describe('the text profile', () => {
  test.each(['null', '42', '{"type":"pong"}', '"quoted"', '', 'ls\n', '\u001b[2J'])(
    'leaves %j as it is, both ways (original fault 2) (original fault 15)',
    (text) => {
      expect([encodeWith(textProfile, text).data, decodeWith(textProfile, text)]).toEqual([text, text]);
    },
  );

  test.each([42, { type: 'input' }, null, undefined, bytes(1)])('takes nothing but text: %j', (message) => {
    expect(encodingFailure(anyProfile('text'), message)).toMatchObject({ code: 'NOT_ENCODABLE', outcome: 'not_sent' });
  });

  test('refuses bytes, and keeps them', () => {
    const data = bytes(1, 2);
    expect(decodingFailure(textProfile, data)).toMatchObject({
      code: 'NOT_DECODABLE',
      data,
      message: 'Bytes came where the profile says text.',
    });
  });
});

describe('the bytes profile', () => {
  test('leaves bytes as they are, both ways', () => {
    expect(encodeWith(bytesProfile, Uint8Array.of(1, 2)).data).toEqual(Uint8Array.of(1, 2));
    const data = bytes(3);
    expect(decodeWith(bytesProfile, data)).toBe(data);
  });

  test.each(['text', 42, { length: 1 }])('takes nothing but bytes: %j', (message) => {
    expect(encodingFailure(anyProfile('bytes'), message)).toMatchObject({ code: 'NOT_ENCODABLE' });
  });

  test('refuses text', () => {
    expect(decodingFailure(bytesProfile, 'text')).toMatchObject({ code: 'NOT_DECODABLE', data: 'text' });
  });
});

describe('the JSON profile', () => {
  test.each([
    [[1, 2, 3], '[1,2,3]'],
    [7, '7'],
    ['{"id":"own","timestamp":1}', '"{\\"id\\":\\"own\\",\\"timestamp\\":1}"'],
    [{ id: 'own', timestamp: 1 }, '{"id":"own","timestamp":1}'],
    [null, 'null'],
  ])('writes %j as its JSON and nothing else (original fault 14)', (message, text) => {
    expect(encodeWith(jsonProfile, message).data).toBe(text);
    expect(decodeWith(jsonProfile, text)).toEqual(message);
  });

  test('refuses what is no JSON, and keeps it', () => {
    expect(decodingFailure(jsonProfile, '{"half":')).toMatchObject({ code: 'NOT_DECODABLE', data: '{"half":' });
    expect(decodingFailure(jsonProfile, '{"half":')).toMatchObject({ cause: expect.any(SyntaxError) as unknown });
    expect(decodingFailure(jsonProfile, bytes(1))).toMatchObject({ code: 'NOT_DECODABLE' });
  });
});

describe('the plain profile', () => {
  test('hands everything on as it came (original fault 15)', () => {
    const data = bytes(1);
    expect([decodeWith(plainProfile, '{"a":1}'), decodeWith(plainProfile, data)]).toEqual(['{"a":1}', data]);
  });

  test('writes text and bytes untouched, and everything else as JSON', () => {
    expect(['{"a": 1 }', Uint8Array.of(1), { a: 1 }].map((message) => encodeWith(plainProfile, message).data)).toEqual([
      '{"a": 1 }',
      Uint8Array.of(1),
      '{"a":1}',
    ]);
  });
});

describe('a payload that its wire has parsed already', () => {
  const shout: Profile['codec'] = { encode: () => '', decode: (data) => `${data as string}!` };

  test.each<[Profile['codec'], unknown, unknown]>([
    ['json', { a: 1 }, { a: 1 }],
    ['json', 'text', 'text'],
    ['json', null, null],
    ['text', 'null', 'null'],
    ['text', { a: 1 }, '{"a":1}'],
    ['plain', '{"a": 1}', '{"a": 1}'],
    ['plain', [1, 'b'], '[1,"b"]'],
    [shout, 'hey', 'hey!'],
    [shout, { a: 1 }, '{"a":1}!'],
  ])('is for the codec %j, of %j, the message %j', (codec, value, message) => {
    expect(decodeWith({ codec }, new JsonPayload(value))).toEqual(message);
  });

  test('is not parsed once more, and not written for a profile that wants JSON', () => {
    const value = { a: 1 };
    expect(decodeWith(jsonProfile, new JsonPayload(value))).toBe(value);
    expect(decodeWith(jsonProfile, new JsonPayload('{"a":1}'))).toBe('{"a":1}');
  });

  test('is no bytes, and is kept as the text that it would have been', () => {
    expect(decodingFailure(bytesProfile, new JsonPayload({ a: 1 }))).toMatchObject({
      code: 'NOT_DECODABLE',
      data: '{"a":1}',
    });
  });

  test('is held to the schema as any other', () => {
    const strict = defineProfile({ codec: 'json', inbound: sayings });
    expect(decodeWith(strict, new JsonPayload({ say: 'hi', more: 1 }))).toEqual({ say: 'hi' });
    expect(decodingFailure(strict, new JsonPayload({ say: 1 }))).toMatchObject({
      code: 'SCHEMA_MISMATCH',
      data: '{"say":1}',
    });
  });
});

describe('a codec of the application', () => {
  const shout = defineProfile<string, string>({
    codec: { encode: (message: string) => message.toUpperCase(), decode: (data) => (data as string).toLowerCase() },
  });

  test('writes and reads as it likes', () => {
    expect([encodeWith(shout, 'Ab').data, decodeWith(shout, 'CD')]).toEqual(['AB', 'cd']);
  });

  test('may write bytes, which are copied', () => {
    const own = Uint8Array.of(1, 2);
    const { data } = encodeWith({ codec: { encode: () => own, decode: () => null } }, 'x');
    own.fill(0);
    expect(data).toEqual(Uint8Array.of(1, 2));
  });

  test.each([undefined, null, 42, {}, Promise.resolve('x')])('that gives %o instead is told so', (given) => {
    const codec = { encode: () => given as string, decode: () => null };
    expect(encodingFailure({ codec }, 'x')).toMatchObject({
      code: 'NOT_ENCODABLE',
      message: `The codec of the profile gave a value of type ${typeof given}.`,
    });
  });

  test('that throws is told with what it threw', () => {
    const thrown = new Error('broken');
    const throws = (): never => {
      throw thrown;
    };
    const codec = { encode: throws, decode: throws };
    expect(encodingFailure({ codec }, 'x')).toMatchObject({ code: 'NOT_ENCODABLE', cause: thrown });
    expect(decodingFailure({ codec }, 'x')).toMatchObject({ code: 'NOT_DECODABLE', cause: thrown, data: 'x' });
  });
});

describe('a schema', () => {
  const strict = defineProfile({ codec: 'json', inbound: sayings, outbound: sayings });

  test('lets through what it makes of a message, both ways', () => {
    expect(encodeWith(strict, { say: 'hi', more: 1 }).data).toBe('{"say":"hi"}');
    expect(decodeWith(strict, '{"say":"hi","more":1}')).toEqual({ say: 'hi' });
  });

  test('that a message does not fit is told, both ways, and the message is kept on the way in', () => {
    const problem = 'The message does not fit the schema of its service: say: no text.';
    expect(encodingFailure(strict, { say: 1 })).toBeInstanceOf(MessageError);
    expect(encodingFailure(strict, { say: 1 })).toMatchObject({ code: 'SCHEMA_MISMATCH', message: problem });
    expect(decodingFailure(strict, '{"say":1}')).toBeInstanceOf(InboundError);
    expect(decodingFailure(strict, '{"say":1}')).toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: problem,
      data: '{"say":1}',
    });
  });

  test('that throws is told with what it threw', () => {
    const thrown = new Error('broken');
    const broken = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: () => {
          throw thrown;
        },
      },
    };
    expect(encodingFailure({ codec: 'json', outbound: broken }, 1)).toMatchObject({
      code: 'SCHEMA_MISMATCH',
      cause: thrown,
    });
    expect(decodingFailure({ codec: 'json', inbound: broken }, '1')).toMatchObject({
      code: 'SCHEMA_MISMATCH',
      cause: thrown,
    });
  });

  test('gives the profile its types', () => {
    expectTypeOf(strict).toEqualTypeOf<Profile<Say, Say>>();
  });
});
