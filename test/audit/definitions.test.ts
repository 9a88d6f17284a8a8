import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';

import { canonicalJson } from '../../src/audit/canonical.ts';
import { hashes, machineName, MACHINES, readMachineName } from '../../src/audit/definitions.ts';
import { withWebDigest } from '../support/web-digest.ts';

describe('the machines of a log', () => {
  test('are those of which a service has actors', () => {
    expect([...MACHINES.keys()]).toEqual(['supervisor', 'group', 'connection', 'outbox', 'health']);
    for (const [id, machine] of MACHINES) expect(machine.id).toBe(id);
  });

  test('have the hash of what their charts are as data, and each its own', async () => {
    const found = await hashes();
    for (const [id, machine] of MACHINES) {
      const text = canonicalJson(JSON.parse(JSON.stringify(machine.config)));
      expect(found[id]).toBe(createHash('sha256').update(text).digest('hex'));
    }
    expect(new Set(Object.values(found)).size).toBe(MACHINES.size);
    expect(hashes()).toBe(hashes());
  });

  test('have the same where hashes are made later, once', async () => {
    const expected = await hashes();
    withWebDigest();
    const later = await import('../../src/audit/definitions.ts');
    const [first, second] = [later.hashes(), later.hashes()];
    expect(first).toBeInstanceOf(Promise);
    // who asked first hears of it first
    expect(second).toBe(first);
    expect(await first).toEqual(expected);
    expect(later.hashes()).toEqual(expected);
  });

  test('are named by their id and the beginning of their hash', () => {
    const hash = '0123456789abcdef'.repeat(4);
    expect(machineName('connection', hash)).toBe('connection@0123456789abcdef');
    expect(readMachineName('connection@0123456789abcdef')).toEqual({ id: 'connection', hash: '0123456789abcdef' });
    expect(readMachineName('a@b@0123')).toEqual({ id: 'a@b', hash: '0123' });
    expect(readMachineName(machineName('connection', undefined))).toEqual({ id: 'connection', hash: '' });
    expect(readMachineName('connection')).toEqual({ id: 'connection', hash: '' });
  });
});
