import { describe, expect, test } from 'vitest';

import { ProtocolViolation, tooBig } from '../../src/protocol/violation.ts';

describe('a violation of the protocol', () => {
  test('is answered with 4001, unless something else is said', () => {
    expect(new ProtocolViolation('no')).toMatchObject({ name: 'ProtocolViolation', message: 'no', closeCode: 4001 });
  });

  test('by size is answered with 4006, and says both sizes', () => {
    expect(tooBig('a frame', 9, 4)).toMatchObject({ message: 'a frame has 9 bytes; 4 are allowed', closeCode: 4006 });
  });
});
