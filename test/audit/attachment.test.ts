import { describe, expect, test } from 'vitest';

import { createAuditLog } from '../../src/audit/log.ts';
import { replay } from '../../src/audit/replay.ts';
import { memorySink } from '../../src/audit/sinks/memory.ts';
import { verify } from '../../src/audit/verify.ts';
import { logged } from '../support/audit-log.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { fateOf, NOTHING_LEFT } from '../support/service.ts';

const COUNTS = { accepted: 0, sent: 0, acknowledged: 0, dropped: 0, unknown: 0, waiting: 0, refused: 0, received: 0 };

describe('a service that is recorded', () => {
  test('is named when it begins and when it ends', async () => {
    const one = logged();
    await one.r.open();
    await one.end();
    const kinds = one.records.map(({ kind }) => kind);
    expect([kinds[2], kinds.at(-2), kinds.at(-1)]).toEqual(['attached', 'detached', 'closed']);
    expect([...one.of('attached'), ...one.of('detached')]).toMatchObject([
      { service: 'service' },
      { service: 'service' },
    ]);
    expect(one.errors).toEqual([]);
  });

  test('is let go of by itself when it is destroyed, with every timer', async () => {
    const one = logged();
    await one.r.open();
    expect(one.log.status.services).toEqual(['service']);
    await one.r.destroy();
    await one.pass(1);
    expect(one.log.status.services).toEqual([]);
    await one.pass(200);
    expect([one.records.at(-1)?.kind, one.r.leftovers()]).toEqual(['detached', NOTHING_LEFT]);
  });

  test('is let go of although its connections end after it', async () => {
    const one = logged();
    await one.r.open();
    const destroyed = one.r.service.destroy();
    await one.pass(10_000);
    await destroyed;
    expect([one.log.status.services, one.of('detached').length]).toEqual([[], 1]);
    await one.pass(200);
    expect([one.records.at(-1)?.kind, one.r.leftovers().timers]).toEqual(['detached', 0]);
  });

  test('is let go of when that is asked for, once, and lives on', async () => {
    const one = logged();
    const { id } = await one.r.open();
    one.detach();
    one.detach();
    void one.r.service.sendMessage(id, 'unseen');
    one.r.sockets.last.ends(1006);
    await one.r.reopen();
    await one.pass(120_000);
    expect(one.of('detached')).toHaveLength(1);
    expect(one.records.at(-1)?.kind).toBe('detached');
    expect(one.turns('connection:')).not.toContainEqual(expect.stringContaining('socket.closed'));
    expect([one.r.state(), one.log.status.services]).toEqual(['open', []]);
    await one.end();
    expect(await verify(one.lines)).toMatchObject({ verdict: 'intact' });
  });

  test('and is destroyed already is recorded as nothing', async () => {
    const one = logged({ isLate: true });
    await one.r.destroy();
    const detach = one.log.attach(one.r.service);
    await one.pass(1);
    detach();
    await one.end();
    expect(one.records.map(({ kind }) => kind)).toEqual(['opened', 'segment', 'attached', 'detached', 'closed']);
    expect(one.errors).toEqual([]);
  });
});

describe('what has become of messages', () => {
  test('is counted where a link is lost, where a connection ends, and each minute if anything has changed', async () => {
    const one = logged();
    const { id } = await one.r.open();
    void one.r.service.sendMessage(id, 'one');
    one.r.sockets.last.says('two');
    await one.pass(59_000);
    expect(one.of('counts')).toEqual([]);
    await one.pass(2_000);
    expect(one.of('counts')).toMatchObject([
      { service: 'service', connection: id, ...COUNTS, accepted: 1, sent: 1, received: 1, droppedBy: {} },
    ]);
    await one.pass(300_000);
    expect(one.of('counts')).toHaveLength(1);
    void one.r.service.sendMessage(id, 'two');
    await one.pass();
    one.r.sockets.last.ends(1006);
    await one.pass(200);
    expect(one.of('counts').slice(1)).toMatchObject([{ accepted: 2, sent: 2 }]);
    void one.r.service.sendMessage(id, 'three').catch(() => undefined);
    await one.end();
    expect(one.of('counts').slice(2)).toMatchObject([
      { accepted: 3, sent: 2, dropped: 1, waiting: 0, droppedBy: { SERVICE_DESTROYED: 1 } },
    ]);
  });

  test('is counted of each connection, and of one that was released by what it was', async () => {
    const one = logged();
    await one.r.open();
    const { id, connection } = await one.r.open({ serviceType: 'chat', terminalId: 'two' });
    connection.send('hello');
    await one.pass();
    const released = fateOf(one.r.service.disconnect(id));
    await one.pass(10_000);
    one.r.sockets.finish();
    await one.pass(10_000);
    expect(released.kind).toBe('resolved');
    await one.end();
    expect(one.of('counts').filter(({ connection: of }) => of === id)).toMatchObject([{ accepted: 1, sent: 1 }]);
    expect(one.errors).toEqual([]);
  });
});

describe('at the level of messages', () => {
  test('each that was accepted has exactly one fate, by id, and no payload', async () => {
    const one = logged({ level: 'messages' });
    const { id, connection } = await one.r.open();
    const send = (text: string) => connection.send(text);
    for (const text of ['a', 'é€', 'ccc']) send(text);
    await one.pass();
    one.r.sockets.last.says('in é');
    one.r.sockets.last.ends(1006);
    await one.pass();
    for (const text of ['waits', 'waits too']) send(text);
    await one.r.reopen();
    one.r.sockets.last.ends(1006);
    await one.pass();
    send('never');
    await one.end();
    const fates = one.of('fate');
    const out = fates.filter(({ direction }) => direction === 'out');
    expect(new Set(out.map((fate) => fate.id)).size).toBe(6);
    expect(out.map(({ bytes, fate }) => [bytes, fate])).toEqual([
      [1, 'sent'],
      [5, 'sent'],
      [3, 'sent'],
      [5, 'sent'],
      [9, 'sent'],
      [5, 'dropped'],
    ]);
    expect(out.at(-1)).toMatchObject({ because: 'SERVICE_DESTROYED', connection: id, service: 'service' });
    expect(fates.filter(({ direction }) => direction === 'in')).toMatchObject([{ fate: 'received', bytes: 5 }]);
    expect(fates.some((fate) => 'payload' in fate || 'redacted' in fate)).toBe(false);
    const counts = one.of('counts').at(-1);
    expect(counts).toMatchObject({ accepted: 6, sent: 5, dropped: 1, waiting: 0, received: 1 });
  });

  test('payloads are kept where that is asked for, without what opens doors', async () => {
    const one = logged({ level: 'messages', redact: { payloads: 'kept' } });
    await one.r.open();
    one.r.sockets.last.says('Bearer abc');
    await one.end();
    expect(one.of('fate')).toMatchObject([{ payload: '[redacted]', redacted: ['payload'] }]);
  });

  test('a function of the application that throws is reported, and reaches nobody', async () => {
    const payloads = () => {
      throw new Error('no');
    };
    const one = logged({ level: 'messages', redact: { payloads } });
    const { id } = await one.r.open();
    const sent = fateOf(one.r.service.sendMessage(id, 'x'));
    one.r.sockets.last.says('y');
    await one.pass();
    expect(sent.kind).toBe('resolved');
    expect(one.r.of('message')).toHaveLength(1);
    expect(one.errors).toMatchObject([{ code: 'INTERNAL_FAULT' }, { code: 'INTERNAL_FAULT' }]);
    await one.end();
    expect([one.r.bugs, one.of('fate')]).toEqual([[], []]);
  });

  test('nothing of it is recorded at the level of transitions', async () => {
    const one = logged();
    const { id } = await one.r.open();
    void one.r.service.sendMessage(id, 'x');
    await one.end();
    expect(one.of('fate')).toEqual([]);
  });
});

test('a clock that fails is reported, and reaches no connection', async () => {
  const one = logged({ isLate: true });
  let isBroken = false;
  const broken = Object.assign(new SimulatedClock(), {
    now: () => {
      if (isBroken) throw new Error('no');
      return 0;
    },
  });
  const errors: unknown[] = [];
  const log = createAuditLog({ sinks: [memorySink()], clock: broken, onError: (error) => errors.push(error) });
  const detach = log.attach(one.r.service);
  await one.r.open();
  isBroken = true;
  one.r.sockets.last.ends(1006);
  await one.pass();
  expect([one.r.state(), one.r.bugs]).toEqual(['backoff', []]);
  expect(errors[0]).toMatchObject({ code: 'INTERNAL_FAULT' });
  expect(detach).not.toThrow();
  isBroken = false;
  await one.end();
  await log.close();
});

test('what is recorded of a service can be replayed', async () => {
  const one = logged({ level: 'messages' });
  await one.r.open();
  one.r.sockets.last.ends(1006);
  await one.r.reopen();
  await one.end();
  const { verdict, skipped, actors } = await replay(one.lines);
  expect([verdict, skipped, actors]).toEqual(['equal', 0, 6]);
});
