import { describe, expect, test } from 'vitest';

import { inquire, type Inquiry } from '../src/inquiry.ts';
import type { AddressRequest, CredentialsRequest, ServiceOptions } from '../src/options.ts';
import { settle, type ServiceSettings } from '../src/settings.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { fateOf, microtasks, type Fate } from './support/service.ts';

interface Asked {
  fate: Fate<Inquiry>;
  clock: SimulatedClock;
  controller: AbortController;
}

function inquiring(options: Partial<ServiceOptions>, controller = new AbortController()): Asked {
  const clock = new SimulatedClock();
  const services = { chat: { url: 'wss://host/', ...options } };
  const settings = settle({ services }).services.get('chat') as ServiceSettings;
  const facts = {
    ...{ connectionId: 'c', serviceType: 'chat', terminalId: undefined, sessionId: undefined, params: {} },
    ...{ attemptId: 'd-1', attempt: 0, lastFailure: undefined, isDiagnostic: true },
  };
  return { fate: fateOf(inquire({ settings, facts, clock, signal: controller.signal })), clock, controller };
}

const never = (): Promise<never> => new Promise(() => undefined);

describe('where a visit goes', () => {
  test.each([
    ['wss://host/', 'wss://host/?holdfast-diagnostics=1'],
    ['https://host/path', 'wss://host/path?holdfast-diagnostics=1'],
    ['wss://host/?a=b%20c&sig=x~y+z&flag', 'wss://host/?a=b%20c&sig=x~y+z&flag&holdfast-diagnostics=1'],
  ])('of %s is %s: with a mark, and otherwise as it was', async (url, marked) => {
    const { fate, clock } = inquiring({ url, protocols: ['mqtt'] });
    await microtasks();
    expect(fate.value).toEqual({ found: { url: marked, protocols: ['mqtt'] }, refused: null });
    expect(clock.pending()).toBe(0);
  });

  test('is what a provider says, who knows what it is for', async () => {
    const asked: (CredentialsRequest | AddressRequest)[] = [];
    const { fate } = inquiring({
      credentials: (request) => {
        asked.push(request);
        return 't0ken';
      },
      url: (request) => {
        asked.push(request);
        return `wss://host/${String(request.token)}`;
      },
    });
    await microtasks();
    expect(fate.value?.found).toEqual({ url: 'wss://host/t0ken', protocols: [] });
    expect(asked).toMatchObject([{ isDiagnostic: true }, { isDiagnostic: true, token: 't0ken' }]);
  });
});

describe('where a visit cannot go', () => {
  test.each<[what: string, options: Partial<ServiceOptions>, code: string, isRefused: boolean]>([
    ['its credentials fail', { credentials: () => Promise.reject(new Error('s3cret')) }, 'CREDENTIALS_FAILED', true],
    ['its credentials are none', { credentials: () => '' }, 'CREDENTIALS_FAILED', true],
    ['its URL fails', { url: () => Promise.reject(new Error('s3cret')) }, 'URL_FAILED', false],
    ['its URL is none', { url: () => 's3cret' }, 'INVALID_URL', false],
    ['its subprotocols are none', { protocols: () => ['a b'] }, 'INVALID_PROTOCOLS', false],
  ])('is known when %s', async (_what, options, code, isRefused) => {
    const { fate, clock } = inquiring(options);
    await microtasks();
    expect(fate.value).toMatchObject({ found: { code }, refused: isRefused ? { code } : null });
    expect([JSON.stringify(fate.value).includes('s3cret'), clock.pending()]).toEqual([false, 0]);
  });

  test.each<[what: string, options: Partial<ServiceOptions>, code: string]>([
    ['credentials', { credentials: { get: never, timeoutMs: 4_000 } }, 'CREDENTIALS_TIMEOUT'],
    ['URL', { url: never, urlTimeoutMs: 4_000 }, 'URL_TIMEOUT'],
  ])('is known when its %s do not come in time', async (_what, options, code) => {
    const { fate, clock } = inquiring(options);
    await clock.advanceAsync(3_999);
    expect(fate.kind).toBe('pending');
    await clock.advanceAsync(1);
    expect([fate.value, clock.pending()]).toMatchObject([{ found: { code } }, 0]);
  });

  test('is not found out when time runs out meanwhile: the provider is told so', async () => {
    const signals: AbortSignal[] = [];
    const credentials = ({ signal }: CredentialsRequest): Promise<never> => {
      signals.push(signal);
      return never();
    };
    const { fate, clock, controller } = inquiring({ credentials });
    await microtasks();
    controller.abort();
    expect([clock.pending(), signals.map(({ aborted }) => aborted)]).toEqual([0, [true]]);
    await microtasks();
    expect(fate.kind).toBe('resolved');
  });

  test('is not asked for when there is no time', async () => {
    const asked: string[] = [];
    const controller = new AbortController();
    controller.abort();
    const credentials = (): string => (asked.push('credentials'), 't0ken');
    const url = (): string => (asked.push('url'), 'wss://host/');
    const { fate, clock } = inquiring({ credentials, url }, controller);
    await microtasks();
    expect([fate.kind, clock.pending(), asked]).toEqual(['resolved', 0, []]);
  });
});
