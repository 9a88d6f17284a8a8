import { describe, expect, test } from 'vitest';

import { createAuditLog } from '../../src/audit/log.ts';
import { memorySink } from '../../src/audit/sinks/memory.ts';
import { createSigner } from '../../src/audit/signature.ts';
import { replay } from '../../src/audit/replay.ts';
import { verify } from '../../src/audit/verify.ts';
import { logged } from '../support/audit-log.ts';
import { FOR_EVER, ScriptedSink, signerAtOnce } from '../support/audit-trail.ts';
import { mortal } from '../support/mortal.ts';
import { rig } from '../support/service.ts';
import { withWebDigest } from '../support/web-digest.ts';

const sinks = [memorySink()];
const key = new Uint8Array(32).fill(7);

describe('options that are not what they must be', () => {
  test.each([
    [{}, 'sinks'],
    [{ sinks: [] }, 'sinks'],
    [{ sinks: [{}] }, 'sinks'],
    [{ sinks: [{ append: () => undefined }] }, 'sinks'],
    [{ sinks, redact: null }, 'redact'],
    [{ sinks, redact: 5 }, 'redact'],
    [{ sinks, redact: { texts: 'no' } }, 'redact.texts'],
    [{ sinks, redact: { more: 1 } }, 'redact.more'],
    [{ sinks, level: 'all' }, 'level'],
    [{ sinks, chain: 5 }, 'chain'],
    [{ sinks, chain: { sign: null } }, 'chain.sign'],
    [{ sinks, chain: { checkpoints: {} } }, 'chain.checkpoints.sinks'],
    [{ sinks, chain: { checkpoints: { sinks, everyRecords: 0 } } }, 'chain.checkpoints.everyRecords'],
    [{ sinks, chain: { checkpoints: { sinks, everyMs: -1 } } }, 'chain.checkpoints.everyMs'],
    [{ sinks, most: { records: 0 } }, 'most.records'],
    [{ sinks, most: { bytes: 1.5 } }, 'most.bytes'],
    [{ sinks, onError: 5 }, 'onError'],
    [{ sinks, clock: {} }, 'clock'],
    [{ sinks, random: 5 }, 'random'],
    [{ sinks, more: 1 }, 'more'],
  ])('are refused by name: %o', (options, name) => {
    const made = () => createAuditLog(options as never);
    expect(made).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
    expect(made).toThrow(new RegExp(`(: |; )${name.replaceAll('.', '\\.')}: `));
  });

  test('are those of the key that signs', () => {
    expect(() => createAuditLog({ sinks, chain: { sign: { key: new Uint8Array(3), name: 'x' } } })).toThrow(/key/);
    expect(() => createSigner({ key, name: 'x' })).not.toThrow();
  });

  test.each([
    ['a sink twice', (sink: ScriptedSink) => ({ sinks: [sink, sink] })],
    [
      'a sink for checkpoints of itself',
      (sink: ScriptedSink) => ({ sinks: [sink], chain: { checkpoints: { sinks: [sink] } } }),
    ],
  ])('are refused where they have %s', (_, options) => {
    expect(() => createAuditLog(options(new ScriptedSink()))).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS' }),
    );
  });

  test.each([undefined, null, 5, {}, { getConnections: () => [], connection: () => null, on: () => null }])(
    'are what is no service: %o',
    (service) => {
      const log = createAuditLog({ sinks: [memorySink()] });
      expect(() => log.attach(service as never)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
      expect(log.status.services).toEqual([]);
    },
  );

  test('are deadlines and names that are none', async () => {
    const { log, r } = logged();
    for (const deadlineMs of [-1, NaN, '5']) {
      await expect(log.flush({ deadlineMs } as never)).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
      await expect(log.close({ deadlineMs } as never)).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    }
    expect(() => log.attach(r.service, { name: '' })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
    await r.destroy();
  });
});

describe('a log', () => {
  test('of two services tells them apart', async () => {
    const one = logged();
    const other = rig({ clock: one.r.clock });
    one.log.attach(other.service);
    expect(one.log.status.services).toEqual(['service', 'service-2']);
    await one.r.open();
    await other.open();
    await other.destroy();
    await one.end();
    expect(one.of('attached').map(({ service }) => service)).toEqual(['service', 'service-2']);
    expect(await replay(one.lines)).toMatchObject({ verdict: 'equal', skipped: 0, actors: 10 });
  });

  test('refuses a name that another service has, and finds one that is free', async () => {
    const one = logged({ isLate: true });
    const detach = one.log.attach(one.r.service, { name: 'service-2' });
    const other = rig({ clock: one.r.clock });
    expect(() => one.log.attach(other.service, { name: 'service-2' })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS' }),
    );
    one.log.attach(other.service);
    const third = rig({ clock: one.r.clock });
    one.log.attach(third.service);
    expect(new Set(one.log.status.services).size).toBe(3);
    expect(() => one.log.attach(one.r.service)).toThrow(/recorded already/);
    detach();
    expect(() => one.log.attach(one.r.service, { name: 'service-2' })).not.toThrow();
    await other.destroy();
    await third.destroy();
    await one.end();
  });

  test('that is closed takes no service, and closes once', async () => {
    const one = logged();
    await one.end();
    await one.log.close();
    expect(() => one.log.attach(one.r.service)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
    expect(one.sink.calls.filter((call) => call === 'close')).toHaveLength(1);
    expect([one.of('closed').length, one.r.clock.pending()]).toEqual([1, 0]);
  });

  test('keeps each chain by itself, and says elsewhere how far they are', async () => {
    const there = new ScriptedSink({}, 'there');
    const hangs = new ScriptedSink({ append: () => FOR_EVER }, 'hangs');
    const fine = new ScriptedSink({}, 'fine');
    const one = logged({ sinks: [fine, hangs], chain: { checkpoints: { sinks: [there] } } });
    await one.r.open();
    await one.r.destroy();
    const closed = one.log.close({ deadlineMs: 1_000 });
    await one.pass(1_000);
    await closed;
    expect(await verify(fine.lines, { checkpoints: there.lines })).toMatchObject({
      verdict: 'intact',
      checkpoints: { of: 'fine', agreed: 1, verdict: 'intact' },
    });
    expect(one.log.status.sinks.map(({ sink, stored }) => [sink, stored > 0])).toEqual([
      ['fine', true],
      ['hangs', false],
    ]);
    expect(one.r.clock.pending()).toBe(0);
  });

  test('rejects a flush that was not done in time, with whose fault that is', async () => {
    const one = logged({ sinks: [new ScriptedSink({ append: () => FOR_EVER }, 'hangs')] });
    const flushed = expect(one.log.flush({ deadlineMs: 100 })).rejects.toMatchObject({ sink: 'hangs' });
    await one.pass(100);
    await flushed;
    await one.r.destroy();
    const closed = one.log.close({ deadlineMs: 0 });
    await one.pass();
    await closed;
  });

  test('is the same where hashes are made later: what happens meanwhile is kept', async () => {
    withWebDigest();
    const web = await import('../../src/audit/log.ts');
    const r = rig();
    const sink = new ScriptedSink();
    const log = web.createAuditLog({ sinks: [sink], clock: r.clock });
    log.attach(r.service);
    await r.open();
    await r.destroy();
    const closed = log.close();
    for (let turn = 0; turn < 200 && !sink.calls.includes('close'); turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await closed;
    expect(await verify(sink.lines)).toMatchObject({ verdict: 'intact' });
    expect(await replay(sink.lines)).toMatchObject({ verdict: 'equal', skipped: 0, actors: 5, otherMachines: [] });
  });

  test('can be signed', async () => {
    expect(signerAtOnce(key).key).toBe('spring');
    const r = rig();
    const sink = new ScriptedSink();
    const log = createAuditLog({ sinks: [sink], clock: r.clock, chain: { sign: { key, name: 'spring' } } });
    log.attach(r.service);
    await r.destroy();
    await log.close();
    expect(sink.kinds.slice(-2)).toEqual(['closed', 'seal']);
  });
});

test('no secret is in any line, at any level', async () => {
  const secret = 's3cr3t';
  for (const level of ['transitions', 'messages'] as const) {
    const one = logged({
      level,
      service: {
        terminal: {
          url: `wss://user:${secret}-1@host/${secret}-2?token=${secret}-3`,
          protocols: () => [`token.${secret}-4`],
          credentials: () => Promise.resolve(`${secret}-5`),
        },
      },
    });
    const { id } = await one.r.open();
    one.r.service.sendMessage(id, `payload ${secret}-6`).catch(() => undefined);
    one.r.sockets.last.says(`payload ${secret}-7`);
    await one.pass();
    one.r.sockets.last.ends(4_001, `reason ${secret}-8`);
    await one.pass();
    await one.r.reopen();
    one.r.sockets.last.ends(1006, `wss://host/${secret}-9`);
    await one.pass();
    await one.end();
    expect(one.lines.length).toBeGreaterThan(20);
    expect(one.lines.filter((line) => line.includes(secret))).toEqual([]);
    expect(await replay(one.lines)).toMatchObject({ verdict: 'equal' });
  }
});

test('actors that die and are made again are on record, and are replayed', async () => {
  const { r, die, redial } = mortal();
  const one = logged({ r });
  await r.open();
  await die();
  await redial();
  r.sockets.last.opens();
  await one.pass();
  await one.end();
  expect(one.of('died')).toMatchObject([{ error: { name: 'TypeError' } }]);
  expect(await replay(one.lines)).toMatchObject({ verdict: 'equal', skipped: 0 });
});
