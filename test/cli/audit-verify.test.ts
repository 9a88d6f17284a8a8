import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';

import { createSigner, type Verification } from '../../src/audit/index.ts';
import { Chain, closed, opening, smallLog, steps } from '../support/audit-chain.ts';
import { filesOf, runAudit, textOf } from '../support/audit-command.ts';

const lines = await smallLog();

describe('holdfast audit verify', () => {
  test('ends with what it found', async () => {
    const [whole = '', open = '', broken = ''] = await filesOf({
      'whole.jsonl': textOf(lines),
      'open.jsonl': textOf(lines.slice(0, 9)),
      'broken.jsonl': textOf(lines.toSpliced(4, 2)),
    });
    expect(await runAudit(['verify', whole])).toMatchObject({
      code: 0,
      printed: expect.stringMatching(/^✓ intact: 17 records, 3 segments, 2 runs\n/) as string,
    });
    expect(await runAudit(['verify', open])).toMatchObject({ code: 1 });
    expect(await runAudit(['verify', '--open', open])).toMatchObject({ code: 0 });
    expect(await runAudit(['verify', '--open', broken])).toMatchObject({
      code: 2,
      printed: expect.stringContaining('- removed (record 4, line 5, segment 1): Records 4 to 5 are missing') as string,
    });
    const { code, printed } = await runAudit(['verify', '--json', broken]);
    expect([code, (JSON.parse(printed) as Verification).problems[0]?.kind]).toEqual([2, 'removed']);
  });

  test('says of a file that is no log that it is none', async () => {
    const [log = '', other = ''] = await filesOf({
      'log.jsonl': textOf(lines),
      'package.json': '{\n  "name": "x"\n}\n',
    });
    const none = { code: 66, printed: '', complaints: `${other} is not an audit log.\n` };
    expect(await runAudit(['verify', other])).toMatchObject(none);
    expect(await runAudit(['verify', '--checkpoints', other, log])).toMatchObject(none);
  });

  test('verifies with a key: its bytes, or a public one in PEM', async () => {
    const secret = new Uint8Array(32).fill(7);
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const pkcs8 = new Uint8Array(privateKey.export({ type: 'pkcs8', format: 'der' }));
    const own = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', false, ['sign']);
    const [hmac = '', ed = '', key = '', pem = ''] = await filesOf({
      'hmac.jsonl': textOf(await smallLog(createSigner({ key: secret, name: 'spring' }))),
      'ed.jsonl': textOf(await smallLog(createSigner({ key: own, name: 'autumn' }))),
      'key.bin': secret,
      'key.pem': publicKey.export({ type: 'spki', format: 'pem' }),
    });
    const signed = { code: 0, printed: expect.stringContaining('Signed: 3 seals by ') as string };
    expect(await runAudit(['verify', '--key', key, '--key-name', 'spring', hmac])).toMatchObject(signed);
    expect(await runAudit(['verify', '--key', pem, ed])).toMatchObject(signed);
    expect(await runAudit(['verify', '--key', key, '--key-name', 'other', hmac])).toMatchObject({ code: 2 });
    expect(await runAudit(['verify', '--key', pem, hmac])).toMatchObject({ code: 2 });
    const [short = ''] = await filesOf({ short: 'x' });
    expect(await runAudit(['verify', '--key', short, hmac])).toMatchObject({ code: 64 });
    expect(await runAudit(['verify', '--key', `${short}.none`, hmac])).toMatchObject({ code: 66 });
  });

  test('does not take for granted that nothing is signed yet, where a key is given', async () => {
    const secret = new Uint8Array(32).fill(7);
    const signed = await smallLog(createSigner({ key: secret, name: 'spring' }));
    const [forged = '', open = '', key = ''] = await filesOf({
      'forged.jsonl': textOf(new Chain().add(...opening(), ...steps(3)).lines),
      'open.jsonl': textOf(signed.slice(0, 8)),
      'key.bin': secret,
    });
    expect(await runAudit(['verify', '--open', '--key', key, forged])).toMatchObject({
      code: 1,
      printed: expect.stringMatching(/Notes\n- Nothing of the log is known to be signed: whoever can write/) as string,
    });
    expect(await runAudit(['verify', '--open', '--key', key, open])).toMatchObject({ code: 0 });
  });

  test('compares with checkpoints', async () => {
    const checkpoint = { kind: 'checkpoint', of: 'file', seq: 16, hash: 'ab'.repeat(32) } as const;
    const [log = '', checkpoints = ''] = await filesOf({
      'log.jsonl': textOf(lines),
      'checkpoints.jsonl': textOf(new Chain().add(...opening(), checkpoint, closed).lines),
    });
    expect(await runAudit(['verify', '--checkpoints', checkpoints, log])).toMatchObject({ code: 2 });
    expect(await runAudit(['verify', '--checkpoints', checkpoints, '--of', 'http', log])).toMatchObject({
      code: 2,
      printed: expect.stringMatching(/No\s+checkpoint\s+agrees/) as string,
    });
  });

  test('shows how far it is only where somebody watches, of a long file', { timeout: 30_000 }, async () => {
    const filler = `${'x'.repeat(2 ** 20)}\n`.repeat(34);
    const [log = ''] = await filesOf({ 'log.jsonl': textOf(lines.slice(0, 1)) + filler });
    expect((await runAudit(['verify', log])).complaints).toBe('');
    expect((await runAudit(['verify', log], { isWatched: true })).complaints).toMatch(/^\r░+ \d %\r.*\r +\r$/s);
  });
});
