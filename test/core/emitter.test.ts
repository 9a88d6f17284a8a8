import { describe, expect, test } from 'vitest';

import { Emitter } from '../../src/core/emitter.ts';

interface Events {
  said: string;
  other: number;
}

function emitter(): { emitter: Emitter<Events>; reported: unknown[] } {
  const reported: unknown[] = [];
  return { emitter: new Emitter<Events>((cause) => reported.push(cause)), reported };
}

describe('an emitter', () => {
  test('calls the listeners of a type in the order they came, with the event', () => {
    const { emitter: made } = emitter();
    const heard: unknown[] = [];
    made.on('said', (text) => heard.push(`one ${text}`));
    made.on('other', (number) => heard.push(number));
    made.on('said', (text) => heard.push(`two ${text}`));
    made.emit('said', 'hi');
    expect(heard).toEqual(['one hi', 'two hi']);
  });

  test('takes the same function twice, and removes it once for each', () => {
    const { emitter: made } = emitter();
    const heard: string[] = [];
    const listener = (text: string): void => void heard.push(text);
    const end = made.on('said', listener);
    made.on('said', listener);
    made.emit('said', 'a');
    end();
    end();
    made.emit('said', 'b');
    expect(heard).toEqual(['a', 'a', 'b']);
  });

  test('goes on with the next when one throws or rejects, and reports it', async () => {
    const { emitter: made, reported } = emitter();
    const heard: string[] = [];
    made.on('said', () => {
      throw new Error('thrown');
    });
    made.on('said', () => Promise.reject(new Error('rejected')));
    made.on('said', (text) => heard.push(text));
    made.emit('said', 'a');
    expect(heard).toEqual(['a']);
    await Promise.resolve();
    expect(reported).toEqual([new Error('thrown'), new Error('rejected')]);
  });

  test('reports to who is named for one event', () => {
    const { emitter: made, reported } = emitter();
    const others: unknown[] = [];
    made.on('said', () => {
      throw new Error('thrown');
    });
    made.emit('said', 'a', (cause) => others.push(cause));
    expect([reported, others]).toEqual([[], [new Error('thrown')]]);
  });

  test('emits to those who listened when the emission began', () => {
    const { emitter: made } = emitter();
    const heard: string[] = [];
    const ends: (() => void)[] = [];
    made.on('said', () => {
      for (const end of ends) end();
      made.on('said', () => heard.push('added'));
    });
    ends.push(made.on('said', () => heard.push('removed')));
    made.emit('said', 'a');
    expect(heard).toEqual(['removed']);
    made.emit('said', 'b');
    expect(heard).toEqual(['removed', 'added']);
  });

  test('knows whether anybody listens', () => {
    const { emitter: made } = emitter();
    const end = made.on('said', () => undefined);
    expect([made.has('said'), made.has('other')]).toEqual([true, false]);
    end();
    expect(made.has('said')).toBe(false);
    made.on('said', () => undefined);
    made.clear();
    expect(made.has('said')).toBe(false);
  });
});
