import { describe, expect, test } from 'vitest';

import type { RequestFacts } from '../src/endpoint.ts';
import type { CredentialsProvider, CredentialsRequest } from '../src/options.ts';
import { Renewal } from '../src/renewal.ts';
import { settle, type ServiceSettings } from '../src/settings.ts';
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

function renewing(credentials?: CredentialsProvider): { renewal: Renewal; given: string[]; told: string[] } {
  const settings = settle({ services: { main: { url: 'wss://host/', ...(credentials && { credentials }) } } });
  const given: string[] = [];
  const told: string[] = [];
  const renewal = new Renewal({
    settings: () => settings.services.get('main') as ServiceSettings,
    now: () => 0,
    facts: FACTS,
    give: (token) => given.push(token),
    tell: ({ type }) => told.push(type),
  });
  return { renewal, given, told };
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

  test.each<[string, CredentialsProvider | undefined]>([
    ['there is no provider', undefined],
    [
      'the provider throws',
      () => {
        throw new Error('no');
      },
    ],
    ['the provider rejects', () => Promise.reject(new Error('no'))],
    ['the provider gives no token', () => 42 as never],
  ])('has nothing to give where %s, and says so', async (_why, credentials) => {
    const { given, told } = renewing(credentials);
    await microtasks();
    expect([given, told]).toEqual([[], ['credentials.spent']]);
  });

  test('that is abandoned tells the provider, and throws away what comes too late (trap 12)', async () => {
    const answer = deferred<string>();
    let signal: AbortSignal | undefined;
    const { renewal, given, told } = renewing((request) => {
      ({ signal } = request);
      return answer.promise;
    });
    renewal.abandon();
    expect(signal?.aborted).toBe(true);
    answer.resolve('too late');
    await microtasks();
    expect([given, told]).toEqual([[], []]);
  });
});
