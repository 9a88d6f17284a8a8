import { audited } from './audit.ts';
import { RETRY, WIRES } from './client.ts';
import { HURTS } from './hurts.ts';
import { KILLS_IN_ALL } from './kills.ts';
import { expiredToken, longestWait, rateLimit, secrecy } from './refusals.ts';
import type { Course, Wound } from './scenario.ts';
import { descents, repeats } from './sequence.ts';
import { FLOW_NAMES, totalOf } from './storm.ts';
import type { Subject } from './subject.ts';
import { duration, median } from './table.ts';
import { differ, verdict, type Verdict } from './verdict.ts';

/** Holds the course of the demo to every promise. */
export function judge(course: Course): Verdict[] {
  return [
    exactlyOnce(course),
    resumption(course),
    recovery(course),
    heartbeat(course),
    backoff(course),
    rateLimit(course.wounds),
    expiredToken(course.wounds),
    secrecy(course.scan),
    accounting(course),
    doubt(course),
    queue(course),
    duplicates(course),
    order(course),
    audited(course.audit),
    ending(course),
  ];
}

function exactlyOnce({ storm: { kills, flows } }: Course): Verdict {
  const problems = FLOW_NAMES.flatMap((name) => {
    const { sent, arrived, acknowledged, lost, repeated, overtaken } = flows[name];
    return [
      differ(`${name}: arrived`, arrived, sent),
      differ(`${name}: acknowledged`, acknowledged, sent),
      ...(lost.length > 0 ? [`${name}: lost ${list(lost)}`] : []),
      ...(repeated.length > 0 ? [`${name}: twice ${list(repeated)}`] : []),
      ...(overtaken.length > 0 ? [`${name}: ${list(overtaken)} came after a later one`] : []),
    ].filter((problem) => problem !== null);
  });
  const messages = FLOW_NAMES.reduce((sum, name) => sum + flows[name].arrived, 0);
  const killed = differ('kills', totalOf(kills), KILLS_IN_ALL);
  return verdict(
    `holdfast.v1: every message once and in order, over ${KILLS_IN_ALL} kills`,
    killed === null ? problems : [killed, ...problems],
    [
      `${messages} messages both ways: 0 lost, 0 duplicated, 0 out of order`,
      'every one acknowledged, by the receipts at both ends',
    ],
  );
}

function resumption({ storm: { resumptions, freshStarts, recoveriesMs } }: Course): Verdict {
  return verdict(
    'holdfast.v1: the session outlives every kill of its sockets',
    [
      ...(resumptions > 0 ? [] : ['it was never resumed']),
      ...(freshStarts === 0 ? [] : [`${freshStarts} sockets began another session`]),
    ],
    [
      `resumed ${resumptions} times, 0 discontinuities`,
      `the next socket after ${duration(median(recoveriesMs))}, at most ${duration(Math.max(...recoveriesMs))}`,
    ],
  );
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
    ...(longestWait(wound.retries) <= 2 * RETRY.baseMs
      ? [`the longest wait was ${duration(longestWait(wound.retries))}`]
      : []),
  ]);
  return verdict(
    'who is accepted and closed at once backs off',
    problems,
    turned.map(
      (wound) =>
        `${wound.turnedAway} connections in ${duration(wound.awayMs)}, at most ${connectionsBound(wound)} allowed; ` +
        `the waits grew to ${duration(longestWait(wound.retries))}`,
    ),
  );
}

// a client that begins anew with each open socket comes back within 200 ms each time: about ten a second
function connectionsBound({ awayMs }: Wound): number {
  return 2 + Math.round((2 * awayMs) / 1_000);
}

function accounting({ subjects, counts }: Course): Verdict {
  const problems = subjects.flatMap(({ name, ledger, news }) => {
    const sums = ledger.sums;
    const dropped = total(sums.dropped);
    const own = counts[name];
    const isPlain = WIRES[name] === 'plain';
    return [
      differ(`${name}: messages without an answer`, ledger.pending, 0),
      differ(`${name}: delivered + dropped + unknown`, sums.delivered + dropped + sums.unknown, sums.accepted),
      differ(`${name}: receipts that cannot be true`, ledger.contradicted.length, 0),
      differ(`${name}: accepted by the library's count`, own.accepted, sums.accepted),
      differ(`${name}: sent by the library's count`, own.sent, isPlain ? sums.delivered + sums.unknown : 0),
      differ(`${name}: acknowledged by the library's count`, own.acknowledged, isPlain ? 0 : sums.delivered),
      differ(`${name}: unknown by the library's count`, own.unknown, isPlain ? 0 : sums.unknown),
      differ(`${name}: dropped by the library's count`, own.dropped, dropped),
      differ(`${name}: waiting by the library's count`, own.waiting, 0),
      differ(`${name}: refused by the library's count`, own.refused, 0),
      differ(`${name}: received by the library's count`, own.received, sums.echoed + news.arrived.length),
    ].filter((problem) => problem !== null);
  });
  const messages = subjects.reduce((sum, { ledger }) => sum + ledger.sums.accepted, 0);
  return verdict('every message has one fate, and the accounts balance', problems, [
    `${messages} messages; accepted = delivered + dropped + unknown, as the library counts`,
  ]);
}

function doubt({ subjects, wounds }: Course): Verdict {
  const told = subjects.filter(({ name }) => WIRES[name] === 'holdfast.v1');
  const figures = told.map(({ name, ledger, history }) => ({
    name,
    ...ledger.sums,
    lost: history.discontinuities,
    // its memory is where the session was
    restarts: wounds.filter((wound) => wound.name === name && wound.kind === 'restart').length,
  }));
  const problems = figures.flatMap(({ name, lost, restarts, unknown, acknowledged, accepted }) =>
    [
      differ(`${name}: lost sessions`, lost.length, restarts),
      differ(
        `${name}: unknown`,
        unknown,
        lost.reduce((sum, { inDoubt }) => sum + inDoubt, 0),
      ),
      differ(`${name}: acknowledged`, acknowledged, accepted - unknown),
    ].filter((problem) => problem !== null),
  );
  return verdict(
    'holdfast.v1: nothing is in doubt, unless the server dies with its memory',
    problems,
    figures.map(
      ({ acknowledged, unknown, unknownArrived, restarts }) =>
        `${acknowledged} acknowledged; ${unknown} unknown after ${restarts} restart, and told so (${unknownArrived} had arrived)`,
    ),
  );
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
    .map(({ name, ledger, news }) => ({ name, repeated: [...ledger.repeated, ...repeats(news.arrived)] }))
    .filter(({ repeated }) => repeated.length > 0)
    .map(({ name, repeated }) => `${name}: ${list(repeated)}`);
  return verdict('nothing is delivered twice', problems, [
    `${sumOver(subjects, ({ ledger }) => ledger.sums.delivered)} delivered`,
  ]);
}

function order({ subjects }: Course): Verdict {
  const problems = subjects
    .map(({ name, ledger, news }) => ({ name, overtaken: [...ledger.overtaken, ...descents(news.arrived)] }))
    .filter(({ overtaken }) => overtaken.length > 0)
    .map(({ name, overtaken }) => `${name}: ${list(overtaken)} came after a later one`);
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
