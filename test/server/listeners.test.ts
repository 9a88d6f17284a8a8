import { expect, test } from 'vitest';

import { listening } from '../../src/core/rules.ts';
import { Listeners } from '../../src/server/listeners.ts';

interface Events {
  said: string;
}

test('listeners hear what they asked for until they are removed, and what they throw is reported', () => {
  const told: unknown[] = [];
  const listeners = new Listeners<Events>(listening(['said']), (cause) => told.push(cause));
  const remove = listeners.on('said', (text) => told.push(text));
  listeners.on('said', (text) => {
    throw new Error(text);
  });
  listeners.emit('said', 'a');
  remove();
  expect(told).toEqual(['a', new Error('a')]);
});

test('who asks for an event that there is not, or cannot be called, is told so', () => {
  const listeners = new Listeners<Events>(listening(['said']), () => undefined);
  expect(() => listeners.on('sad' as 'said', () => undefined)).toThrow('type: must be one of said');
  expect(() => listeners.on('said', undefined as never)).toThrow('listener: is required');
  expect(listeners.has('said')).toBe(false);
});
