import { RETRY } from './client.ts';
import { HURTS } from './hurts.ts';
import type { Course, Wound } from './scenario.ts';
import type { Subject } from './subject.ts';
import { duration } from './table.ts';

/** Something the library promised, and whether it held. */
export interface Verdict {
  promise: string;
  held: boolean;
  /** The figures behind it; what went wrong if it did not hold. */
  detail: string;
}

/** Holds the course of the demo to every promise. */
export function judge(course: Course): Verdict[] {
  return [
    recovery(course),
    heartbeat(course),
    backoff(course),
    accounting(course),
    queue(course),
    duplicates(course),
    order(course),
    ending(course),
  ];
}

function recovery({ wounds }: Course): Verdict {
  const late = wounds.filter(({ kind, recoveredMs }) => recoveredMs === null || recoveredMs > HURTS[kind].openWithinMs);
  const slowest = Math.max(...wounds.map(({ recoveredMs }) => recoveredMs ?? Infinity));
  return verdict('every service is open again after every hurt', late.map(lateText), [
    `${wounds.length} of ${wounds.length}, the slowest ${duration(slowest)} after its server`,
  ]);
}

function lateText({ kind, name, recoveredMs }: Wound): string {
  const bound = duration(HURTS[kind].openWithinMs);
  return `${name} after ${kind}: ${duration(recoveredMs)}, where at most ${bound} were allowed`;
}

function heartbeat({ wounds }: Course): Verdict {
  const unnoticed = wounds.filter(
    ({ kind, noticedMs }) => noticedMs === null || noticedMs > HURTS[kind].noticedWithinMs,
  );
  const frozen = wounds.filter(({ kind }) => kind === 'freeze');
  const otherwise = frozen.filter(({ noticedAs }) => noticedAs !== 'LINK_DEAD');
  return verdict(
    'every hurt is noticed, the frozen server by its silence',
    [
      ...unnoticed.map(({ kind, name, noticedMs }) => `${name}, ${kind}: ${duration(noticedMs)}`),
      ...otherwise.map(({ noticedAs }) => `the frozen server was noticed as ${noticedAs ?? 'nothing'}`),
    ],
    frozen.map(
      ({ noticedMs }) =>
        `after ${duration(noticedMs)}, while it was frozen for ${duration(HURTS.freeze.noticedWithinMs)}`,
    ),
  );
}

function backoff({ wounds }: Course): Verdict {
  const turned = wounds.filter(({ kind }) => kind === 'turn away');
  const problems = turned.flatMap((wound) => [
    ...(wound.turnedAway > connectionsBound(wound) ? [`${wound.turnedAway} connections`] : []),
    // the first steps cannot draw so long a wait: only a backoff that grows over short-lived sockets can
    ...(wound.longestWaitMs <= 2 * RETRY.baseMs ? [`the longest wait was ${duration(wound.longestWaitMs)}`] : []),
  ]);
  return verdict(
    'who is accepted and closed at once backs off',
    problems,
    turned.map(
      (wound) =>
        `${wound.turnedAway} connections in ${duration(wound.awayMs)}, at most ${connectionsBound(wound)} allowed; ` +
        `the waits grew to ${duration(wound.longestWaitMs)}`,
    ),
  );
}

// a client that begins anew with each open socket comes back within 200 ms each time: about ten a second
function connectionsBound({ awayMs }: Wound): number {
  return 2 + Math.round((2 * awayMs) / 1_000);
}

function accounting({ subjects, counts }: Course): Verdict {
  const problems = subjects.flatMap(({ name, ledger }) => {
    const sums = ledger.sums;
    const dropped = total(sums.dropped);
    const own = counts[name];
    return [
      differ(`${name}: messages without an answer`, ledger.pending, 0),
      differ(`${name}: delivered + dropped + unknown`, sums.delivered + dropped + sums.unknown, sums.accepted),
      differ(`${name}: receipts that cannot be true`, ledger.contradicted.length, 0),
      differ(`${name}: accepted by the library's count`, own.accepted, sums.accepted),
      differ(`${name}: sent by the library's count`, own.sent, sums.delivered + sums.unknown),
      differ(`${name}: dropped by the library's count`, own.dropped, dropped),
      differ(`${name}: waiting by the library's count`, own.waiting, 0),
      differ(`${name}: refused by the library's count`, own.refused, 0),
      differ(`${name}: received by the library's count`, own.received, sums.echoed),
    ].filter((problem) => problem !== null);
  });
  const messages = subjects.reduce((sum, { ledger }) => sum + ledger.sums.accepted, 0);
  return verdict('every message has one fate, and the accounts balance', problems, [
    `${messages} messages; accepted = delivered + dropped + unknown, as the library counts`,
  ]);
}

function queue({ subjects, farewells }: Course): Verdict {
  const problems = subjects.flatMap(({ name, ledger, history }) => {
    const lost = ledger.lost((generation) => history.isDead(generation));
    const dropped = Object.entries(ledger.sums.dropped).filter(([code]) => code !== 'SERVICE_DESTROYED');
    return [
      ...(lost.length > 0 ? [`${name} lost ${list(lost)}`] : []),
      ...dropped.map(([code, count]) => `${name} dropped ${count}: ${code}`),
    ];
  });
  const waited = sumOver(subjects, ({ ledger }) => ledger.sums.waited) - farewells;
  const doomed = sumOver(subjects, ({ ledger }) => ledger.sums.waitedUnknown);
  return verdict('what waits is kept until a socket takes it', problems, [
    `${waited} waited: ${waited - doomed} delivered, ${doomed} taken by sockets that then died (unknown)`,
  ]);
}

function duplicates({ subjects }: Course): Verdict {
  const problems = subjects
    .filter(({ ledger }) => ledger.repeated.length > 0)
    .map(({ name, ledger }) => `${name}: ${list(ledger.repeated)}`);
  return verdict('nothing is delivered twice', problems, [
    `${sumOver(subjects, ({ ledger }) => ledger.sums.delivered)} delivered`,
  ]);
}

function order({ subjects }: Course): Verdict {
  const problems = subjects
    .filter(({ ledger }) => ledger.overtaken.length > 0)
    .map(({ name, ledger }) => `${name}: ${list(ledger.overtaken)} came after a later one`);
  return verdict('everything arrives in order', problems, ['there and back']);
}

function ending({ subjects, farewells, destroyedInMs, leftovers }: Course): Verdict {
  const told = sumOver(subjects, ({ ledger }) => ledger.sums.dropped['SERVICE_DESTROYED'] ?? 0);
  return verdict(
    'destroy() answers what waits and leaves nothing behind',
    [
      ...(told === farewells ? [] : [`${told} of ${farewells} waiting messages were answered`]),
      ...(leftovers.length === 0 ? [] : [`left behind: ${leftovers.join(', ')}`]),
    ],
    [`${told} waiting messages answered, done in ${duration(destroyedInMs)}`],
  );
}

function verdict(promise: string, problems: readonly string[], figures: readonly string[]): Verdict {
  const held = problems.length === 0;
  return { promise, held, detail: (held ? figures : problems).join('; ') };
}

function differ(what: string, actual: number, expected: number): string | null {
  return actual === expected ? null : `${what}: ${actual} instead of ${expected}`;
}

function total(counts: Record<string, number>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function sumOver(subjects: readonly Subject[], figure: (subject: Subject) => number): number {
  return subjects.reduce((sum, subject) => sum + figure(subject), 0);
}

// enough to look into it, not all of a thousand
function list(numbers: readonly number[]): string {
  const shown = numbers.slice(0, 5).join(', ');
  return numbers.length > 5 ? `messages ${shown} and ${numbers.length - 5} more` : `messages ${shown}`;
}
