import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';

import { MessageError } from '../../src/errors.ts';
import { encodeBytes, encodeJson, encodePlain, encodeText } from '../../src/protocol/codec.ts';
import { ownMemory } from '../../src/protocol/slab.ts';

const encoder = new TextEncoder();

describe('the plain form of a message', () => {
  test.each(['', 'ls -la\n', '{"a": 1 }', 'null', 'é€😀', '\u0000'])('of the text %j is that text', (text) => {
    expect(encodePlain(text)).toEqual({ data: text, bytes: encoder.encode(text).byteLength, form: 'text' });
  });

  test.each([
    [{ type: 'input', data: 'ls' }, '{"type":"input","data":"ls"}'],
    [[1, 2], '[1,2]'],
    [7, '7'],
    [true, 'true'],
    [null, 'null'],
    [{ at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    [{ name: 'é' }, '{"name":"é"}'],
  ])('of the value %o is its JSON', (value, data) => {
    expect(encodePlain(value)).toEqual({ data, bytes: encoder.encode(data).byteLength, form: 'json' });
  });

  test.each([
    ['an ArrayBuffer', Uint8Array.of(1, 2, 3).buffer],
    ['a Uint8Array', Uint8Array.of(1, 2, 3)],
    ['a view into a larger buffer', Uint8Array.of(9, 1, 2, 3, 9).subarray(1, 4)],
    ['a DataView', new DataView(Uint8Array.of(9, 1, 2, 3).buffer, 1)],
    ['a Buffer', Buffer.from([1, 2, 3])],
    ['a view of shared memory', shared(1, 2, 3)],
  ])('of %s is its bytes', (_what, message) => {
    const encoded = encodePlain(message);
    expect(encoded).toEqual({ data: Uint8Array.of(1, 2, 3), bytes: 3, form: 'bytes' });
    expect((encoded.data as Uint8Array).buffer).toBeInstanceOf(ArrayBuffer);
  });

  test('of a view with wider elements is every byte of it', () => {
    expect(encodePlain(Uint16Array.of(0x0201, 0x0403)).bytes).toBe(4);
  });

  test('is a copy: the buffer may be used again', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const { data } = encodePlain(bytes);
    bytes.fill(0);
    expect(data).toEqual(Uint8Array.of(1, 2, 3));
  });

  test.each([
    ['undefined', undefined, 'undefined'],
    ['a function', () => 1, 'function'],
    ['a symbol', Symbol('s'), 'symbol'],
    ['what toJSON makes nothing of', { toJSON: () => undefined }, 'object'],
  ])('does not exist for %s', (_what, message, type) => {
    expect(refusal(message)).toMatchObject({
      code: 'NOT_ENCODABLE',
      outcome: 'not_sent',
      message: `A value of type ${type} has no JSON form.`,
    });
  });

  test.each([
    ['a BigInt', 1n],
    ['a cycle', cycle()],
    [
      'a toJSON that throws',
      {
        toJSON: () => {
          throw new Error('no');
        },
      },
    ],
  ])('does not exist for %s, and the cause is told', (_what, message) => {
    expect(refusal(message)).toMatchObject({ code: 'NOT_ENCODABLE', cause: expect.any(Error) as unknown });
  });

  test('gives a JSON value back unchanged', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(typeof value !== 'string');
        expect(encodePlain(value).data).toBe(JSON.stringify(value));
      }),
    );
  });
});

describe('the length in UTF-8', () => {
  // Node counts by itself, and a browser has no Buffer
  test.each(['Node', 'a browser'])(
    'is that of the platform’s encoder in %s, for every text, lone surrogates included',
    async (where) => {
      if (where === 'a browser') vi.stubGlobal('Buffer', undefined);
      vi.resetModules();
      const { utf8Bytes: counted } = await import('../../src/protocol/codec.ts').finally(() => vi.unstubAllGlobals());
      // surrogates of both kinds, more often than chance would pair them
      const edge = fc.constantFrom(0x7f, 0x80, 0x7ff, 0x800, 0xffff);
      const unit = fc.oneof(fc.nat(0xffff), fc.integer({ min: 0xd800, max: 0xdfff }), edge);
      fc.assert(
        fc.property(fc.array(unit, { maxLength: 1_000, size: 'max' }), (units) => {
          // now and then longer than what is counted at once
          const text = String.fromCharCode(...units).repeat(units.length % 4 === 0 ? 20 : 1);
          expect(counted(text)).toBe(encoder.encode(text).byteLength);
        }),
      );
    },
  );
});

function refusal(message: unknown): MessageError {
  try {
    encodePlain(message);
  } catch (error) {
    if (error instanceof MessageError) return error;
    throw error;
  }
  throw new Error('It was encoded.');
}

describe('a Blob', () => {
  test.each([new Blob(['x']), new File(['x'], 'x.txt')])('is refused: JSON would make nothing of it', (blob) => {
    expect(() => encodePlain(blob)).toThrow(expect.objectContaining({ code: 'NOT_ENCODABLE' }) as Error);
  });
});

function shared(...bytes: number[]): Uint8Array {
  const view = new Uint8Array(new SharedArrayBuffer(bytes.length));
  view.set(bytes);
  return view;
}

function cycle(): object {
  const self: Record<string, unknown> = {};
  self['self'] = self;
  return self;
}

describe('text', () => {
  test.each(['\ud800', 'a\udc00b', '\ud83d', '\ude00\ud83d'])('with a lone surrogate is refused: %j', (text) => {
    expect(() => encodeText(text)).toThrow(MessageError);
    expect(() => encodeText(text)).toThrow('lone surrogate');
  });

  test('with whole pairs travels', () => {
    expect(encodeText('😀')).toEqual({ data: '😀', bytes: 4, form: 'text' });
  });

  test('within JSON travels with its lone surrogates: they are escaped', () => {
    expect(encodeJson('\ud800')).toEqual({ data: '"\\ud800"', bytes: 8, form: 'json' });
  });
});

describe('bytes', () => {
  test('of a buffer that was detached are refused', () => {
    const gone = new ArrayBuffer(4);
    structuredClone(gone, { transfer: [gone] });
    expect(() => encodeBytes(new DataView(new ArrayBuffer(1)))).not.toThrow();
    expect(() => encodeBytes(gone)).toThrow(MessageError);
    expect(() => encodeBytes(gone)).toThrow('detached');
  });

  test.each([16, 4_096])(
    'of a view of %s bytes whose buffer was detached are refused, and not sent as none',
    (length) => {
      const view = new Uint8Array(length);
      structuredClone(view.buffer, { transfer: [view.buffer] });
      expect(() => encodeBytes(view)).toThrow('detached');
    },
  );

  test('of small messages lie beside each other in memory and touch each other nowhere; of others they have their own', () => {
    const sizes = Array.from({ length: 500 }, (_, n) => (n * 37) % 600);
    const all = sizes.map((size, n) => encodeBytes(new Uint8Array(size).fill(n)).data as Uint8Array);
    for (const [n, data] of all.entries()) expect(data).toEqual(new Uint8Array(sizes[n] ?? 0).fill(n));
    const small = all.filter(({ length }) => length <= 512);
    expect(new Set(small.map(({ buffer }) => buffer)).size).toBeLessThan(small.length / 8);
    const own = [
      ...all.filter(({ length }) => length > 512),
      encodeBytes(new Uint8Array(7), ownMemory).data as Uint8Array,
    ];
    for (const { buffer, length } of own) expect(buffer.byteLength).toBe(length);
  });
});
