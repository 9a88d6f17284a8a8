import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { ClientFrame, ServerFrame } from '../../src/protocol/frames.ts';
import { readText, writeBatch, writeText } from '../../src/protocol/text-frames.ts';
import { FRAME_VECTORS } from './vectors.ts';

const positions = fc.maxSafeNat().map((position) => Math.max(1, position));

describe('a text frame', () => {
  const objects = FRAME_VECTORS.filter(
    ({ text, means }) =>
      text?.startsWith('{') &&
      means.t in
        {
          srv: 1,
          hello: 1,
          welcome: 1,
          m: 1,
          v: 1,
          ack: 1,
          nack: 1,
          ping: 1,
          pong: 1,
          flow: 1,
          auth: 1,
          open: 1,
          shut: 1,
          away: 1,
          err: 1,
          bye: 1,
        },
  );

  test.each(objects.map(({ name, text = '', means }) => [name, text, means] as const))(
    'is written as the vectors have it: %s',
    (_name, text, means) => {
      // the one vector with fields that nobody knows cannot be written
      expect(JSON.parse(text)).toMatchObject(JSON.parse(writeText(means as ServerFrame | ClientFrame)) as object);
    },
  );

  test('of messages alone is read as it was written', () => {
    fc.assert(
      fc.property(
        positions,
        fc.array(fc.jsonValue(), { minLength: 1 }),
        fc.option(fc.maxSafeNat()),
        (first, values, ack) => {
          // JSON has one zero
          const payloads = values.map((value) => JSON.parse(JSON.stringify(value)) as unknown);
          const text = writeBatch(
            first,
            payloads.map((value) => JSON.stringify(value)),
            ack ?? undefined,
          );
          expect(readText(text, 'client')).toEqual({
            t: 'batch',
            s: first,
            d: payloads,
            ...(ack === null ? {} : { a: ack }),
          });
        },
      ),
    );
  });

  test('of one message costs three bytes more than the message', () => {
    expect(writeBatch(7, ['{"a":1}'])).toBe('7[{"a":1}]');
  });

  test.each(['client', 'server'] as const)('of the other side is refused from a %s', (side) => {
    const other = side === 'client' ? 'srv' : 'hello';
    expect(() => readText(JSON.stringify({ t: other }), side)).toThrow(`a ${side} sends no frame of that type`);
  });
});
