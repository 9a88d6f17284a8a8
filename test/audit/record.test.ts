import { expect, test } from 'vitest';

import { AUDIT_LEVELS, AUDIT_VERSION } from '../../src/audit/record.ts';

test('records are of the first version, and at one of two levels', () => {
  expect(AUDIT_VERSION).toBe(1);
  expect(AUDIT_LEVELS).toEqual(['transitions', 'messages']);
});
