import { ConnectionError } from 'holdfast';

import { reasonText } from './account.ts';
import { RETRY } from './client.ts';
import type { Handshake } from './gate.ts';
import type { Wound } from './scenario.ts';
import { PLACES, type SecretScan } from './secret-scan.ts';
import { duration } from './table.ts';
import { differ, verdict, type Verdict } from './verdict.ts';

const UNAUTHORIZED = 4401;
// the one that learns of the limit, and one that was under way
const REFUSALS = 2;
// a timer may fire this much before its time
const TICK_MS = 2;

/** Whether who was told that its token had expired came back at once with another one. */
export function expiredToken(wounds: readonly Wound[]): Verdict {
  const own = wounds.filter(({ kind }) => kind === 'expired token');
  return verdict(
    'an expired token is replaced once, and at once',
    own.flatMap((wound) => tokenProblems(wound)),
    own.flatMap(({ grants, handshakes, recoveredMs }) =>
      grants.map(
        ({ number, lastFailure }) =>
          `told ${reasonText(lastFailure)}, the provider gave token ${number}; ` +
          `open with it after ${duration(recoveredMs)}, 0 of ${handshakes.length} handshakes refused`,
      ),
    ),
  );
}

function tokenProblems({ grants, handshakes, retries }: Wound): string[] {
  const told = grants.filter(({ lastFailure }) => !isExpiry(lastFailure));
  const old = handshakes.filter(({ token }) => token !== grants[0]?.number);
  const refused = handshakes.filter(({ status }) => status !== 101);
  // only the first: an attempt that gets no answer in time is followed by a backoff, as any
  const waitMs = retries[0]?.delayMs ?? 0;
  return [
    differ('asked for a token', grants.length, 1),
    ...told.map(({ lastFailure }) => `the provider was told ${reasonText(lastFailure)}`),
    ...(handshakes.length > 0 ? [] : ['no handshake followed']),
    differ('handshakes with another token', old.length, 0),
    differ('handshakes that were refused', refused.length, 0),
    waitMs > RETRY.promptMs ? `it waited for ${duration(waitMs)}` : null,
  ].filter((problem) => problem !== null);
}

function isExpiry(failure: unknown): boolean {
  return failure instanceof ConnectionError && failure.initiator === 'peer' && failure.closeCode === UNAUTHORIZED;
}

/** Whether nothing that can be read has a token, or what tokens are signed with. */
export function secrecy({ planted, searched, found }: SecretScan): Verdict {
  return verdict(
    'no token shows in a line, an event, an error, an inspection event or an audit record',
    [
      ...[...found].map(([place, times]) => `${times} × ${place}`),
      ...PLACES.filter((place) => searched[place] === 0).map((place) => `no ${place} was searched`),
      ...(planted > 0 ? [] : ['there were no tokens']),
    ],
    [`${planted} secrets, looked for in ${PLACES.map((place) => `${searched[place]} ${place}s`).join(', ')}`],
  );
}

/** Whether who was told to stay away for a time did. */
export function rateLimit(wounds: readonly Wound[]): Verdict {
  const own = wounds.filter(({ kind }) => kind === 'rate limit');
  return verdict(
    'who is told Retry-After stays away that long, and comes back spread out',
    own.flatMap((wound) => limitProblems(wound)),
    own.flatMap((wound) =>
      staysOf(wound).map(
        ({ askedMs, announcedMs, keptMs }) =>
          `asked for ${duration(askedMs)}, announced ${duration(announcedMs)}, away for ${duration(keptMs)}`,
      ),
    ),
  );
}

function limitProblems(wound: Wound): string[] {
  const stays = staysOf(wound);
  const refusals = wound.handshakes.filter(isRefusal);
  return [
    ...(stays.length > 0 ? [] : ['no refusal was heard']),
    ...(refusals.length <= REFUSALS ? [] : [`${refusals.length} handshakes were refused`]),
    ...stays.flatMap(({ askedMs, announcedMs, keptMs }) => [
      ...(announcedMs >= askedMs ? [] : [`asked for ${duration(askedMs)}, it announced ${duration(announcedMs)}`]),
      ...(keptMs >= askedMs - TICK_MS ? [] : [`asked for ${duration(askedMs)}, it came after ${duration(keptMs)}`]),
    ]),
  ];
}

/** What followed each refusal that the client heard, in ms. */
function staysOf({ handshakes, retries }: Wound): { askedMs: number; announcedMs: number; keptMs: number }[] {
  const announced = retries.filter(({ httpStatus }) => httpStatus === 429);
  // one that came too late was not heard, and then there was another
  const refusals = handshakes.filter(isRefusal).slice(-announced.length);
  return refusals.flatMap(({ at, retryAfterS }, index) => {
    const retry = announced[index];
    const next = handshakes.find((handshake) => handshake.at > at);
    return retry ? [{ askedMs: retryAfterS * 1_000, announcedMs: retry.delayMs, keptMs: (next?.at ?? at) - at }] : [];
  });
}

function isRefusal({ status }: Handshake): boolean {
  return status === 429;
}

/** The longest of some waits. */
export function longestWait(retries: Wound['retries']): number {
  return Math.max(0, ...retries.map(({ delayMs }) => delayMs));
}
