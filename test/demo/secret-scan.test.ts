import { describe, expect, test } from 'vitest';

import { SecretScan } from '../../examples/demo/secret-scan.ts';
import { rig, TERMINAL } from '../support/service.ts';

const SECRET = 's3cr3t';

function scanner(): SecretScan {
  const scan = new SecretScan();
  scan.plant(SECRET);
  return scan;
}

describe('a scan for secrets', () => {
  test.each([
    ['a field', { token: SECRET }],
    ['the message of an error', { error: new Error(`refused ${SECRET}`) }],
    ['a cause of a cause', { error: new Error('a', { cause: new Error('b', { cause: { deep: { in: [SECRET] } } }) }) }],
  ])('finds one in %s', (_where, told) => {
    const scan = scanner();
    scan.searchTold(told);
    expect([...scan.found]).toEqual([['event', 1]]);
  });

  test('counts what it searched, and finds nothing where there is none', () => {
    const scan = scanner();
    scan.search('line', 'nothing to see');
    scan.searchTold({ code: 'CLOSED_BY_PEER' });
    expect([scan.searched, scan.found.size]).toEqual([
      { line: 1, event: 1, 'inspection event': 0, 'audit record': 0 },
      0,
    ]);
  });

  test('follows what a service tells, and what its actors do', async () => {
    const scan = scanner();
    const r = rig({ terminal: {} });
    scan.follow(r.service);
    void r.service.connect(TERMINAL);
    await r.settle();
    r.sockets.last.opens();
    r.sockets.last.ends(4401, `${SECRET} has expired`);
    await r.settle();
    expect(scan.searched['inspection event']).toBeGreaterThan(0);
    // the peer's own text is told, so that a secret in it is found
    expect(scan.found.get('event')).toBeGreaterThan(0);
    await r.service.destroy();
  });
});
