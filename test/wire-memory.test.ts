import { describe, expect, test } from 'vitest';

import { WireMemory } from '../src/wire-memory.ts';

const HALF_AN_HOUR_MS = 30 * 60_000;

describe('the memory of what worked where', () => {
  test('knows nothing of a place that nobody was at', () => {
    expect(new WireMemory(() => 0).recall('wss://host/')).toBeUndefined();
  });

  test('knows a place by its path, and not by its query, which may hold a token (pain 60)', () => {
    const memory = new WireMemory(() => 0);
    memory.remember('wss://host/chat?token=a', 'plain');
    memory.remember('wss://host/main', 'holdfast.v1');
    expect(
      ['wss://host/chat?token=b', 'wss://host/main', 'wss://host/', 'ws://host/chat'].map((url) => memory.recall(url)),
    ).toEqual(['plain', 'holdfast.v1', undefined, undefined]);
  });

  test('forgets after half an hour, counted from the last time', () => {
    let now = 0;
    const memory = new WireMemory(() => now);
    memory.remember('wss://host/', 'plain');
    now = HALF_AN_HOUR_MS - 1;
    expect(memory.recall('wss://host/')).toBe('plain');
    memory.remember('wss://host/', 'holdfast.v1');
    now += HALF_AN_HOUR_MS - 1;
    expect(memory.recall('wss://host/')).toBe('holdfast.v1');
    now += 1;
    expect(memory.recall('wss://host/')).toBeUndefined();
  });

  test('is bounded: of very many places the one that was longest not used goes', () => {
    const memory = new WireMemory(() => 0);
    for (let n = 0; n < 1_000; n++) memory.remember(`wss://host/${n}`, 'plain');
    memory.remember('wss://host/0', 'plain');
    memory.remember('wss://host/new', 'plain');
    expect(['0', '1', '2', 'new'].map((path) => memory.recall(`wss://host/${path}`))).toEqual([
      'plain',
      undefined,
      'plain',
      'plain',
    ]);
  });
});
