import { describe, expect, test } from 'vitest';
import type { Transition } from '../../visualizations/chart.ts';
import { condense, escapeLabel, idOf, stack, triggerLines } from '../../visualizations/notation.ts';

describe('an id', () => {
  test('has word characters only', () => {
    expect(idOf('live.connecting.dialing')).toBe('live_connecting_dialing');
    expect(idOf('half-open → shut')).toBe('half_open___shut');
  });

  test.each(['state', 'note', 'default', 'class', 'style', 'as', 'root', 'stateDiagram', 'constructor', 'toString'])(
    'is never the word %s, which Mermaid keeps for itself',
    (word) => {
      expect(idOf(word)).toBe(`${word}_`);
    },
  );

  test('may contain such a word', () => {
    expect(idOf('stated')).toBe('stated');
    expect(idOf('note.default')).toBe('note_default');
  });
});

describe('a label', () => {
  test('loses what ends a statement, opens a block, marks up, quotes or starts an entity', () => {
    expect(escapeLabel('a: b; {c} <d> "e" #35;\nf')).toBe('a b c d e 35 f');
  });

  test('keeps the signs of events, guards and wildcards', () => {
    expect(escapeLabel('xstate.error.actor.* [is-late] → a_b (c), ↻')).toBe(
      'xstate.error.actor.* [is-late] → a_b (c), ↻',
    );
  });

  test('has one line for each text', () => {
    expect(stack(['a<br/>b', 'c'])).toBe('a br/ b<br/>c');
  });
});

describe('the lines of a label', () => {
  test('hold trigger and guard together where they fit', () => {
    expect(triggerLines([transition('opened', 'isCurrent'), transition('failed')])).toEqual([
      'opened [isCurrent]',
      'failed',
    ]);
  });

  test('put the guard below a trigger that leaves it no room', () => {
    expect(triggerLines([transition('connection.requested', 'isKnownByName')])).toEqual([
      'connection.requested',
      '[isKnownByName]',
    ]);
  });

  test('put several guards below their common trigger', () => {
    const ways = [transition('always', 'isTerminal'), transition('always', 'areAllExhausted'), orElse('always')];
    expect(triggerLines(ways)).toEqual(['always', '[isTerminal]', '[areAllExhausted]', '[else]']);
  });

  test('are few when events or delays end alike', () => {
    expect(
      condense(['socket.closed', 'url.failed', 'after urlTimeout', 'credentials.failed', 'after helloTimeout']),
    ).toEqual(['socket.closed', '*.failed', 'after *Timeout']);
  });

  test('name an event or a delay that is alone with its ending, however often it comes', () => {
    expect(condense(['url.failed', 'url.failed', 'after retryDelay', 'connect'])).toEqual([
      'url.failed',
      'after retryDelay',
      'connect',
    ]);
  });
});

function transition(trigger: string, guard: string | null = null): Transition {
  return {
    source: 'a',
    trigger,
    guard,
    isElse: false,
    targets: ['b'],
    reenter: false,
    effects: [],
    delay: null,
    description: '',
  };
}

function orElse(trigger: string): Transition {
  return { ...transition(trigger), isElse: true };
}
