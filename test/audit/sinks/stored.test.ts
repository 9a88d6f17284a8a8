import { expect, test } from 'vitest';

import { closedError, headOf, soundEntry } from '../../../src/audit/sinks/stored.ts';
import { auditLines, Chain } from '../../support/audit-lines.ts';

test('number and hash are read off a line, whatever its record says', () => {
  const chain = new Chain();
  for (const service of ['one', '"seq":7}', '{"hash":"0"}']) {
    const line = chain.next({ kind: 'attached', service });
    expect(headOf(line)).toEqual(chain.head);
  }
});

test('an entry is sound whose hash is true', async () => {
  const [line = ''] = auditLines(1, { filler: 'ü' });
  expect(await soundEntry(line)).toMatchObject({ seq: 0, record: { kind: 'attached', filler: 'ü' } });
});

test('nothing else is', async () => {
  const [line = ''] = auditLines(1);
  const later = new Chain().next({ v: 2, kind: 'attached' });
  const others = ['', 'text', line.slice(0, -1), line.replace('"mono":0', '"mono":1'), `${line} `, later];
  expect(await Promise.all(others.map(soundEntry))).toEqual(others.map(() => null));
});

test('the error of a closed sink names it', () => {
  expect(closedError('mine')).toMatchObject({
    code: 'AUDIT_SINK_FAILED',
    sink: 'mine',
    message: 'The sink is closed.',
  });
});
