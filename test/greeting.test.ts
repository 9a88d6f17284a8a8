import { describe, expect, test } from 'vitest';

import { greet, type Greeted } from '../src/greeting.ts';
import { jsonProfile, type OpenContext, type Profile } from '../src/protocol/profile.ts';
import type { EncodedMessage } from '../src/protocol/codec.ts';
import { Line } from './support/outbox.ts';
import { deferred, microtasks } from './support/service.ts';

const context: OpenContext = {
  connectionId: 'c',
  terminalId: 't',
  sessionId: undefined,
  params: { a: '1' },
  generation: 2,
};

function greeting(profile: Partial<Profile>): { line: Line; said: Greeted[]; abandon: () => void } {
  const line = new Line();
  const said: Greeted[] = [];
  const send = (messages: readonly EncodedMessage[]): void => {
    line.batch(() => {
      for (const { data } of messages) line.send(data);
    });
  };
  const abandon = greet(send, { profile: { ...jsonProfile, ...profile }, context }, (greeted) => said.push(greeted));
  return { line, said, abandon };
}

describe('a greeting', () => {
  test('of a profile that says nothing is over at once', () => {
    const { line, said } = greeting({});
    expect([line.sent, said]).toEqual([[], [{ failed: null }]]);
  });

  test('leaves in one write, encoded as every message is (pain 15)', () => {
    const { line, said } = greeting({ onOpen: () => [{ subscribe: 1 }, { subscribe: 2 }] });
    expect([line.sent, line.writes, said]).toEqual([['{"subscribe":1}', '{"subscribe":2}'], [2], [{ failed: null }]]);
  });

  test('is told which link it is for', () => {
    let told: OpenContext | undefined;
    greeting({
      onOpen: (given) => {
        told = given;
        return [];
      },
    });
    expect(told).toEqual(context);
  });

  test('may come later, and is waited for (pain 15)', async () => {
    const messages = deferred<string[]>();
    const { line, said } = greeting({ onOpen: () => messages.promise });
    await microtasks();
    expect(said).toEqual([]);
    messages.resolve(['hello']);
    await microtasks();
    expect([line.sent, said]).toEqual([['"hello"'], [{ failed: null }]]);
  });

  test.each<[string, Profile['onOpen'], string]>([
    [
      'throws',
      () => {
        throw new RangeError('no');
      },
      'RangeError',
    ],
    ['rejects', () => Promise.reject(new RangeError('no')), 'RangeError'],
    [
      'throws a text',
      () => {
        throw 'no' as unknown as Error;
      },
      'a string',
    ],
    ['gives what cannot be encoded', () => [{ fine: 1 }, 1n], 'MessageError'],
    ['gives no list', () => 42 as unknown as string[], 'TypeError'],
  ])('that %s fails the attempt, and nothing of it has left', async (_how, onOpen, kind) => {
    const { line, said } = greeting({ ...(onOpen && { onOpen }) });
    await microtasks();
    expect(line.sent).toEqual([]);
    expect(said).toMatchObject([{ failed: { code: 'GREETING_FAILED', strategy: 'reconnect', detail: kind } }]);
    expect(said[0]?.cause).toBeDefined();
  });

  test('that the socket refuses fails the attempt', () => {
    const said: Greeted[] = [];
    const line = new Line();
    line.onSend = () => {
      throw new Error('gone');
    };
    const send = (): void => {
      line.send('x');
    };
    greet(send, { profile: { ...jsonProfile, onOpen: () => ['x'] }, context }, (greeted) => said.push(greeted));
    expect(said).toMatchObject([{ failed: { code: 'GREETING_FAILED' }, cause: { message: 'gone' } }]);
  });

  test.each(['resolves', 'rejects'])('that was abandoned says and sends nothing when it %s', async (how) => {
    const messages = deferred<string[]>();
    const { line, said, abandon } = greeting({ onOpen: () => messages.promise });
    abandon();
    if (how === 'resolves') messages.resolve(['late']);
    else messages.reject(new Error('late'));
    await microtasks();
    expect([line.sent, said]).toEqual([[], []]);
  });
});
