import { describe, expect, test } from 'vitest';

import { Emitter } from '../src/core/emitter.ts';
import { ErrorReporter } from '../src/error-reporter.ts';
import { FaultError, HoldfastError, MessageError } from '../src/errors.ts';
import type { ServiceEvents } from '../src/events.ts';
import type { EnhancedWebSocketOptions } from '../src/options.ts';
import { settle } from '../src/settings.ts';
import { microtasks } from './support/service.ts';

function reporting(options: Partial<EnhancedWebSocketOptions> = {}): {
  reporter: ErrorReporter;
  emitter: Emitter<ServiceEvents>;
  total: () => number;
} {
  const settings = settle({ services: { chat: { url: 'wss://host/', label: 'Chat' } }, ...options });
  const emitter = new Emitter<ServiceEvents>(() => undefined);
  const reporter = new ErrorReporter({ emitter, settings: () => settings, now: () => 0 });
  return { reporter, emitter, total: () => reporter.history.statistics.total };
}

const broken = (): never => {
  throw new Error('broken');
};

describe('what goes wrong', () => {
  test('with a connection is recorded and told, in this turn', () => {
    const { reporter, emitter, total } = reporting();
    const heard: number[] = [];
    emitter.on('error', () => heard.push(total()));
    reporter.emit('error', new HoldfastError('LINK_DEAD'));
    expect(heard).toEqual([1]);
  });

  test('with a message is recorded now, and told when the turn is over', async () => {
    const { reporter, emitter, total } = reporting();
    const heard: string[] = [];
    emitter.on('undelivered', ({ messageId }) => heard.push(messageId));
    const source = { connectionId: 'chat', serviceType: 'chat' };
    reporter.undelivered({ ...source, messageId: 'm1', error: new MessageError('EXPIRED') });
    expect([heard, total()]).toEqual([[], 1]);
    await microtasks();
    expect(heard).toEqual(['m1']);
  });

  test('in the application’s code is recorded, and told to `onError`, when the turn is over', async () => {
    const heard: HoldfastError[] = [];
    const { reporter, emitter, total } = reporting({ onError: (error) => heard.push(error) });
    emitter.on('error', (error) => heard.push(error));
    reporter.report('thrown');
    expect([heard, total()]).toEqual([[], 1]);
    await microtasks();
    expect(heard).toEqual([new FaultError('LISTENER_THREW')]);
    expect([heard[0]?.cause, total()]).toEqual(['thrown', 1]);
  });

  test('is an `error` event where there is no `onError`, and counts once all the same', async () => {
    const { reporter, emitter, total } = reporting();
    const heard: HoldfastError[] = [];
    emitter.on('error', (error) => heard.push(error));
    reporter.report('thrown');
    await microtasks();
    expect([heard.length, total()]).toEqual([1, 1]);
  });

  test('in the code that hears of bugs is told to nobody', async () => {
    const { reporter, total } = reporting({ onError: broken });
    reporter.report('thrown');
    await microtasks();
    expect(total()).toBe(1);
  });
});

describe('describing an error', () => {
  test('calls the service by its label, or by its type, or by no name', () => {
    const { reporter } = reporting();
    const told = (details: { serviceType?: string }): string =>
      reporter.describe(new HoldfastError('LINK_DEAD', details));
    expect(told({ serviceType: 'chat' })).toBe('Chat did not answer in time.');
    expect(told({ serviceType: 'gone' })).toBe('gone did not answer in time.');
    expect(told({})).toBe('the service did not answer in time.');
  });

  test('takes whatever was caught', () => {
    const { reporter, total } = reporting();
    expect(reporter.describe(new Error('caught'))).toBe('Something went wrong with the service.');
    expect(reporter.describe(undefined)).toBe('Something went wrong with the service.');
    expect(total()).toBe(0);
  });

  test('by whoever hears of a message function that throws comes to an end', async () => {
    const texts: string[] = [];
    const { reporter, total } = reporting({
      userMessages: { timeout: broken, fault: broken },
      onError: (error) => texts.push(reporter.describe(error)),
    });
    expect(reporter.describe(new HoldfastError('LINK_DEAD'))).toBe('the service did not answer in time.');
    await microtasks();
    expect([texts, total()]).toEqual([['Something went wrong with the service.'], 1]);
  });
});
