import { describe, expect, test } from 'vitest';

import type { RequestFacts } from '../src/endpoint.ts';
import type { CredentialsProvider, CredentialsRequest } from '../src/options.ts';
import { Renewal } from '../src/renewal.ts';
import { settle, type ServiceSettings } from '../src/settings.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { deferred, microtasks } from './support/service.ts';

const FACTS: RequestFacts = {
  connectionId: 'c',
  serviceType: 'main',
  terminalId: undefined,
  sessionId: undefined,
  params: {},
  attemptId: 'a1',
  attempt: 0,
  lastFailure: undefined,
};

interface Renewing {
  renewal: Renewal;
  clock: SimulatedClock;
  given: string[];
  told: string[];
  failed: [code: string, cause: unknown][];
}

function renewing(credentials?: CredentialsProvider): Renewing {
  const settings = settle({ services: { main: { url: 'wss://host/', ...(credentials && { credentials }) } } });
  const given: string[] = [];
  const told: string[] = [];
  const failed: Renewing['failed'] = [];
  const clock = new SimulatedClock();
  const renewal = new Renewal({
    settings: () => settings.services.get('main') as ServiceSettings,
    clock,
    facts: FACTS,
    give: (token) => given.push(token),
    tell: ({ type }) => told.push(type),
    failed: ({ code }, cause) => failed.push([code, cause]),
  });
  return { renewal, clock, given, told, failed };
}

describe('a renewal', () => {
  test('asks the provider, gives what it gets to the server, and is done when the server has taken it', async () => {
    const asked: CredentialsRequest[] = [];
    const { renewal, given, told } = renewing((request) => {
      asked.push(request);
      return { token: 'fresh' };
    });
    await microtasks();
    expect([given, told, asked]).toMatchObject([['fresh'], [], [FACTS]]);
    renewal.taken();
    expect(told).toEqual(['credentials.renewed']);
  });

  test('is not done by what the server has taken before', async () => {
    const answer = deferred<string>();
    const { renewal, told } = renewing(() => answer.promise);
    renewal.taken();
    expect(told).toEqual([]);
    answer.resolve('fresh');
    await microtasks();
    renewal.taken();
    expect(told).toEqual(['credentials.renewed']);
  });

  test('has nothing to give where there is no provider, and says so', async () => {
    const { clock, given, told, failed } = renewing();
    await microtasks();
    expect([given, told, failed, clock.pending()]).toEqual([[], ['credentials.spent'], [], 0]);
  });

  const thrown = new Error('no');

  test.each<[string, CredentialsProvider, unknown]>([
    [
      'throws',
      () => {
        throw thrown;
      },
      thrown,
    ],
    ['rejects', () => Promise.reject(thrown), thrown],
    ['gives no token', () => 42 as never, undefined],
  ])('has nothing to give where the provider %s, and says so and why', async (_why, credentials, cause) => {
    const { clock, given, told, failed } = renewing(credentials);
    await microtasks();
    expect([given, told, clock.pending()]).toEqual([[], ['credentials.spent'], 0]);
    expect(failed).toEqual([['CREDENTIALS_FAILED', cause]]);
  });

  test('whose provider does not answer in time has nothing to give, before the chart stops waiting', async () => {
    const answer = deferred<string>();
    const { clock, given, told, failed } = renewing(() => answer.promise);
    await clock.advanceAsync(9_998);
    expect(failed).toEqual([]);
    await clock.advanceAsync(1);
    expect([told, failed]).toEqual([['credentials.spent'], [['CREDENTIALS_TIMEOUT', undefined]]]);
    answer.resolve('too late');
    await microtasks();
    expect([given, clock.pending()]).toEqual([[], 0]);
  });

  test('that is abandoned tells the provider, and throws away what comes too late (trap 12)', async () => {
    const answer = deferred<string>();
    let signal: AbortSignal | undefined;
    const { renewal, clock, given, told, failed } = renewing((request) => {
      ({ signal } = request);
      return answer.promise;
    });
    renewal.abandon();
    expect(signal?.aborted).toBe(true);
    answer.resolve('too late');
    await clock.advanceAsync(60_000);
    expect([given, told, failed]).toEqual([[], [], []]);
  });
});
