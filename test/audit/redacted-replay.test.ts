import { describe, expect, test } from 'vitest';

import { replay } from '../../src/audit/replay.ts';
import { verify } from '../../src/audit/verify.ts';
import { logged, type Logged } from '../support/audit-log.ts';
import type { RedactionOptions } from '../../src/audit/redaction.ts';

async function life(redact: RedactionOptions, terminalId = 'one'): Promise<Logged> {
  const one = logged({ redact });
  const { id } = await one.r.open({ serviceType: 'terminal', terminalId });
  for (const code of [4321, 4322]) {
    one.r.sockets.last.ends(code);
    await one.r.reopen(id);
    await one.r.clock.advanceAsync(20_000);
  }
  await one.end();
  return one;
}

describe('a log in which something is redacted', () => {
  test.each([
    'event.failure',
    'event.failure.*',
    'context.failure.closure.code',
    'event.generation',
    'event.input.policy',
    'event.input.id',
    'event.*',
  ])('is replayed as far as it can be, and called no other: %s', async (path) => {
    const { lines } = await life({ paths: [path] });
    expect(await verify(lines)).toMatchObject({ verdict: 'intact' });
    expect(await replay(lines)).toMatchObject({ diverged: 0, divergences: [] });
  });

  test.each(['event.failure.*', 'context.failure.*'])(
    'keeps no copy of it in the context, or the event: %s',
    async (path) => {
      const { lines } = await life({ paths: [path] });
      expect(lines.join()).not.toMatch(/"code":432[12]/);
    },
  );

  test.each([
    ['a line break', 'a\nb'],
    ['a direction mark', 'a\u202eb'],
    ['a URL', 'wss://host/?token=s3cr3t'],
    ['a token', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.s3cr3t'],
    ['what separates ids', 'a/b%c'],
  ])('is replayed in whole with an id that has %s in it', async (_, terminalId) => {
    const { lines } = await life({}, terminalId);
    expect(await replay(lines)).toMatchObject({ verdict: 'equal', skipped: 0 });
    expect(lines.join()).not.toMatch(/s3cr3t|\u202e|a\\nb/);
  });

  test('names connections as it is told to, everywhere, and is replayed in whole', async () => {
    const { lines, records } = await life({ ids: (id) => `person-${id.length}` }, 'alice@example.com');
    expect(lines.join()).not.toContain('alice');
    expect(records.flatMap((record) => ('connection' in record ? [record.connection] : []))).toContain('person-26');
    expect(await replay(lines)).toMatchObject({ verdict: 'equal', skipped: 0 });
    const broken = await life({
      ids: () => {
        throw new Error('no');
      },
    });
    expect(await replay(broken.lines)).toMatchObject({ verdict: 'equal', skipped: 0 });
    expect(broken.lines.join()).not.toContain('terminal:one');
  });
});

describe('what messages say', () => {
  test('is searched for secrets by its names, where it is JSON, and by path', async () => {
    const redact: RedactionOptions = { payloads: 'kept', paths: ['payload.user.*'] };
    const one = logged({ redact, level: 'messages' });
    const { id } = await one.r.open();
    void one.r.service.sendMessage(id, { password: 'HUNTER2', pin: 1234567, user: { name: 'BOB' }, text: 'hello' });
    one.r.sockets.last.says('{"token":"T0K3N","text":"hi"}');
    one.r.sockets.last.says('api_key=K3Y&text=plain');
    await one.pass();
    await one.end();
    expect(one.of('fate').map(({ payload, redacted }) => ({ payload, redacted }))).toEqual(
      expect.arrayContaining([
        {
          payload: { password: '[redacted]', pin: '[redacted]', text: 'hello', user: { name: '[redacted]' } },
          redacted: ['payload.password', 'payload.pin', 'payload.user.name'],
        },
        { payload: { token: '[redacted]', text: 'hi' }, redacted: ['payload.token'] },
        { payload: 'api_key=[redacted]&text=plain', redacted: ['payload'] },
      ]),
    );
    expect(one.lines.join()).not.toMatch(/HUNTER2|1234567|BOB|T0K3N|K3Y/);
  });

  test('is left out where there is too much of it', async () => {
    const one = logged({ redact: { payloads: 'kept' }, level: 'messages' });
    const { id } = await one.r.open();
    void one.r.service.sendMessage(id, 'x'.repeat(70_000));
    await one.pass();
    await one.end();
    expect(one.of('fate')).toMatchObject([{ bytes: 70_000, payload: '[redacted]', redacted: ['payload'] }]);
  });
});
