import { describe, expect, test } from 'vitest';

import { WireMemory } from '../src/wire-memory.ts';

const HALF_AN_HOUR = 30 * 60_000;

function remembering(): { memory: WireMemory; passes: (ms: number) => void } {
  let now = 0;
  const memory = new WireMemory(() => now);
  return {
    memory,
    passes: (ms) => {
      now += ms;
    },
  };
}

describe('what worked at a URL', () => {
  test('is not known before it worked, and then for half an hour', () => {
    const { memory, passes } = remembering();
    expect(memory.recall('wss://host/a')).toBeUndefined();
    memory.remember('wss://host/a', 'plain');
    passes(HALF_AN_HOUR - 1);
    expect(memory.recall('wss://host/a')).toBe('plain');
    passes(1);
    expect(memory.recall('wss://host/a')).toBeUndefined();
  });

  test('is the latest, and lasts from then on', () => {
    const { memory, passes } = remembering();
    memory.remember('wss://host/a', 'plain');
    passes(HALF_AN_HOUR - 1);
    memory.remember('wss://host/a', 'holdfast.v1');
    passes(HALF_AN_HOUR - 1);
    expect(memory.recall('wss://host/a')).toBe('holdfast.v1');
  });

  test.each([
    [{ code: 4001 }, undefined],
    [{ code: 4301 }, undefined],
    [{ code: 1006, status: 426 }, undefined],
    [{ code: 1006, status: 400 }, undefined],
    [{ code: 1006, status: 503 }, 'plain'],
    [{ code: 1006 }, 'plain'],
    [{ code: 1001 }, 'plain'],
    [{ code: 3999 }, 'plain'],
    [{ code: 4400 }, 'plain'],
  ] as const)('is in doubt, as plain, after the end %j: then %s is known', (end, known) => {
    const { memory } = remembering();
    memory.remember('wss://host/a', 'plain');
    memory.ended('wss://host/a?token=1', { ...end, wasOpen: true, wire: 'plain' });
    expect(memory.recall('wss://host/a')).toBe(known);
  });

  test('is in doubt, as plain, after three handshakes in a row that failed, and not after fewer', () => {
    const { memory } = remembering();
    memory.remember('wss://host/a', 'plain');
    const ends = (wasOpen: boolean): unknown => {
      memory.ended('wss://host/a', { code: 1006, wasOpen, wire: 'plain' });
      return memory.recall('wss://host/a');
    };
    expect([ends(false), ends(false), ends(true), ends(false), ends(false)]).toEqual(Array(5).fill('plain'));
    expect(ends(false)).toBeUndefined();
  });

  test.each([
    [{ code: 1006, status: 400 }, undefined],
    [{ code: 1006, status: 426 }, undefined],
    [{ code: 1006, status: 503 }, 'holdfast.v1'],
    [{ code: 1006 }, 'holdfast.v1'],
    [{ code: 4001 }, 'holdfast.v1'],
  ] as const)('is in doubt, as holdfast.v1, after handshakes that end %j: then %s is known', (end, known) => {
    const { memory } = remembering();
    memory.remember('wss://host/a', 'holdfast.v1');
    for (let handshakes = 1; handshakes <= 4; handshakes++)
      memory.ended('wss://host/a', { ...end, wasOpen: false, wire: 'holdfast.v1' });
    expect(memory.recall('wss://host/a')).toBe(known);
  });

  test('says nothing of a wire that was not tried', () => {
    const { memory } = remembering();
    memory.remember('wss://host/a', 'plain');
    memory.ended('wss://host/a', { code: 1006, status: 400, wasOpen: false, wire: 'holdfast.v1' });
    memory.ended('wss://host/b', { code: 1006, status: 400, wasOpen: false, wire: 'plain' });
    expect([memory.recall('wss://host/a'), memory.recall('wss://host/b')]).toEqual(['plain', undefined]);
  });

  test('is told apart by scheme, host, port and path; what follows may hold a token, and changes', () => {
    const { memory } = remembering();
    memory.remember('wss://host/a?token=1', 'plain');
    const places = [
      'wss://host/a?token=2',
      'wss://host/a',
      'ws://host/a',
      'wss://host:8443/a',
      'wss://host/b',
      'wss://other/a',
    ];
    expect(places.map((url) => memory.recall(url))).toEqual(['plain', 'plain', ...Array<undefined>(4).fill(undefined)]);
  });

  test('is forgotten for the oldest place when there are more than a thousand', () => {
    const { memory } = remembering();
    for (let place = 0; place < 1_000; place++) memory.remember(`wss://host/${place}`, 'plain');
    memory.remember('wss://host/0', 'plain');
    memory.remember('wss://host/1000', 'plain');
    expect([0, 1, 2, 1_000].map((place) => memory.recall(`wss://host/${place}`))).toEqual([
      'plain',
      undefined,
      'plain',
      'plain',
    ]);
  });
});
