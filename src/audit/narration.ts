import type {
  Attempt,
  ConnectionAccount,
  Explanation,
  Outage,
  OutageEnd,
  Question,
  StateAccount,
} from './explanation.ts';
import { COUNTED } from './record.ts';
import {
  codesText,
  countText,
  durationText,
  failureText,
  nameText,
  oneLine,
  shareText,
  timeText,
  waitText,
} from './wording.ts';

/** An explanation in sentences: what is indented belongs to the line above. */
export function narrated(explanation: Explanation, most = MOST_TOLD): string[] {
  const { at, question, connections } = explanation;
  const told =
    at === null ? connections.flatMap((account) => TELLERS[question](account, most)) : statesAt(explanation, at);
  const nobody = connections.length === 0 ? ['There is no connection on record.'] : [];
  return [...headOf(explanation), ...nobody, ...told].map(oneLine);
}

/** How many outages of a connection a summary tells of. */
const MOST_TOLD = 10;

const TELLERS: Record<Question, (account: ConnectionAccount, most: number) => string[]> = {
  summary: (account, most) => [
    `${titleOf(account)}: ${stateText(account)}.`,
    ...indented([downText(account), ...lastOf(account, most), messagesText(account)]),
  ],
  disconnects: (account) => [
    `${titleOf(account)}: ${countText(account.disconnects, 'disconnect')}.`,
    ...indented(moreText(account)),
    ...indented(account.outages.flatMap((outage, index) => atLength(outage, passedOver(account) + index + 1))),
  ],
  downtime: (account) => [
    `${titleOf(account)}: ${lowered(downText(account))}`,
    ...indented([...moreText(account), ...account.outages.map(asEpisode)]),
  ],
  losses: (account) => [
    `${titleOf(account)}: ${lowered(messagesText(account))}`,
    ...indented([...droppedText(account), ...lossesText(account)]),
  ],
};

function headOf(explanation: Explanation): string[] {
  const { first, last, records, runs, isClosed, unread, gaps, died, deaths, passedOver, from, to } = explanation;
  const ending = isClosed ? 'it ends with its close' : 'it has no end here';
  const place =
    first === null ? 'No record' : `${timeText(first)} to ${timeText(last)}: ${countText(records, 'record')}`;
  const lines = [
    first === null ? 'There is no record of that time.' : `${place}, ${countText(runs, 'run')}; ${ending}.`,
  ];
  if (from !== null) lines.push(`Asked about is what was from ${timeText(from)} on.`);
  if (to !== null) lines.push(`Asked about is what was up to ${timeText(to)}.`);
  if (unread > 0) lines.push(`${countText(unread, 'line')} could not be read: what they said is not known.`);
  if (gaps.times > 0) {
    const where = `at ${countText(gaps.times, 'place')}, from ${timeText(gaps.first)} to ${timeText(gaps.last)}`;
    lines.push(`Records are missing, ${gaps.records} ${where}: what happened there is not known.`);
  }
  const { times, last: told } = explanation.interruptions;
  if (times > told.length)
    lines.push(`A process ended without a close ${countText(times - told.length, 'time')} before these.`);
  for (const { after, before } of told)
    lines.push(
      `The process ended without a close after ${timeText(after)} and before ${timeText(before)}: nothing is known in between.`,
    );
  if (died > 0) lines.push(`${countText(died, 'actor')} died of a fault.`);
  for (const { at, actor, error } of deaths)
    lines.push(`  ${timeText(at)}: ${nameText(actor)}${error === null ? '' : `, ${nameText(error)}`}.`);
  if (passedOver > 0) lines.push('There are more connections than are followed: not all are told of.');
  return lines;
}

function statesAt({ connections, first, last }: Explanation, at: number): string[] {
  if (first === null) return [`How it was at ${timeText(at)} is not known.`];
  const age = last === null ? 0 : at - last;
  return [
    `At ${timeText(at)}, by what was on record until then${age > 0 ? `, ${durationText(age)} earlier` : ''}:`,
    ...connections.flatMap((account) => {
      const [outage] = account.outages.slice(-1);
      const isDown = outage?.end === null;
      return [
        `${titleOf(account)}: ${stateText(account)}.`,
        ...indented([...(isDown ? [shortly(outage)] : []), ...waitingText(account.state)]),
      ];
    }),
  ];
}

function titleOf({ connection, service }: ConnectionAccount): string {
  return `${nameText(connection)} of ${nameText(service)}`;
}

function stateText({ state }: ConnectionAccount): string {
  const { name, since, isCertain, generation, failure } = state;
  if (name === null && since === null) return 'its state is not known';
  if (name === null) return `${isCertain ? 'gone' : 'not on record'} since ${timeText(since)}`;
  const socket = generation === null || generation === 0 ? '' : `, socket ${generation}`;
  const doubt = isCertain ? '' : ', as far as it is known';
  return `${name} since ${timeText(since)}${doubt}${socket}${failure ? `: ${failureText(failure)}` : ''}`;
}

function waitingText({ wait }: StateAccount): string[] {
  return wait ? [`Since ${timeText(wait.at)} it waits ${waitText(wait)}.`] : [];
}

function downText({ downMs, downShare, onRecordMs, disconnects, times, hasGaps }: ConnectionAccount): string {
  const up = (times.open ?? 0) + (times.degraded ?? 0);
  const share = downShare === null ? '' : ` (${shareText(downShare)})`;
  const doubt = hasGaps ? ' Records are missing: these times are at the least so long.' : '';
  return `Open for ${durationText(up)} of ${durationText(onRecordMs)} on record; ${countText(disconnects, 'disconnect')}, down for ${durationText(downMs)}${share}.${doubt}`;
}

function lastOf({ outages, disconnects }: ConnectionAccount, most: number): string[] {
  const told = outages.slice(-most);
  return [...beforeText(disconnects - told.length), ...told.map(shortly)];
}

function shortly(outage: Outage): string {
  return `${lostText(outage)}; ${endText(outage)}.`;
}

function asEpisode(outage: Outage): string {
  const { lostAt, end } = outage;
  const until = end ? timeText(end.at) : 'the end of what is on record, and not over there';
  return `From ${timeText(lostAt)} to ${until}: ${lengthText(outage)}; ${reasonOf(outage)}${gapText(outage)}.`;
}

function atLength(outage: Outage, number: number): string[] {
  const { failure, openedAt, openMs, generation, lateSince, silentMs, waits, attempts, gaveUpAt } = outage;
  const more = outage.attempted - attempts.length;
  const socket = generation === null ? '' : `, on socket ${generation}`;
  const facts = [
    openedAt === null || openMs === null
      ? 'Since when it had been open is not known.'
      : `It had been open since ${timeText(openedAt)}, for ${durationText(openMs)}${socket}.`,
    lateSince !== null && `The peer had been late since ${timeText(lateSince)}.`,
    silentMs !== null && `Nothing had been heard for ${durationText(silentMs)}, since a probe.`,
    failure && `In the record: ${codesText(failure)}.`,
    ...doneText(waits, attempts),
    more > 0 && `And ${countText(more, 'attempt')} more.`,
    gaveUpAt !== null && `At ${timeText(gaveUpAt)} it was given up.`,
    `${raised(endText(outage))}.`,
    sessionText(outage.end),
    costText(outage),
  ];
  return [`${number}. ${lostText(outage)}.`, ...indented(facts)];
}

function doneText(waits: Outage['waits'], attempts: readonly Attempt[]): string[] {
  const waited = waits.map((wait) => ({
    at: wait.at,
    text: `At ${timeText(wait.at)} it began to wait ${waitText(wait)}.`,
    isAttempt: false,
  }));
  const tried = attempts.map((attempt) => ({ at: attempt.at, text: attemptText(attempt), isAttempt: true }));
  const steps: (typeof tried)[number][] = [];
  while (waited.length > 0 || tried.length > 0) {
    const [wait] = waited;
    const [attempt] = tried;
    // where time has none between them, waits and attempts take turns
    const isWait =
      wait && (!attempt || wait.at < attempt.at || (wait.at === attempt.at && steps.at(-1)?.isAttempt !== false));
    steps.push(...(isWait ? waited : tried).splice(0, 1));
  }
  return steps.map(({ text }) => text);
}

function attemptText({ at, generation, result, durationMs, failure }: Attempt): string {
  const socket = generation === null ? '' : `, socket ${generation}`;
  const when = `At ${timeText(at)} it was tried${socket}`;
  const after = durationMs === null ? '' : ` after ${durationText(durationMs)}`;
  switch (result) {
    case 'opened':
      return `${when}, and opened${after}.`;
    case 'failed':
      return `${when}, and failed${after}: ${failureText(failure)}.`;
    case 'abandoned':
      return `${when}, and given up${after}.`;
    case null:
      return `${when}, which is not over.`;
  }
}

function lostText(outage: Outage): string {
  const { lostAt, isStartKnown } = outage;
  const when = isStartKnown ? `Lost at ${timeText(lostAt)}` : `Lost before ${timeText(lostAt)}`;
  return `${when}: ${reasonOf(outage)}`;
}

function reasonOf({ failure, event }: Outage): string {
  return event === 'died' ? 'its actor died of a fault' : failureText(failure, event);
}

function endText(outage: Outage): string {
  const { end } = outage;
  const after = `after ${lengthText(outage)}`;
  if (!end) return `not open again ${after}, where this ends${gapText(outage)}`;
  return `${ENDS[end.how]} at ${timeText(end.at)} ${after}${end.generation === null ? '' : `, on socket ${end.generation}`}${gapText(outage)}`;
}

// what is not on record is not in it
function lengthText({ durationMs, isStartKnown, hasGap }: Outage): string {
  return `${isStartKnown && !hasGap ? '' : 'at least '}${durationText(durationMs)}`;
}

const ENDS: Record<OutageEnd['how'], string> = {
  open: 'open again',
  closed: 'closed by the application',
  stopped: 'ended with its actor',
  unrecorded: 'not recorded any longer',
};

function gapText({ hasGap, end }: Outage): string {
  return hasGap || end?.isCertain === false ? ', of which not all is on record' : '';
}

function sessionText(end: OutageEnd | null): string {
  if (end?.how !== 'open') return '';
  const { session, lost } = end;
  if (lost) {
    const doubt = lost.inDoubt === null ? '' : `; ${countText(lost.inDoubt, 'message')} in doubt`;
    return `Its session was lost (${nameText(lost.why)}), and another begun${doubt}.`;
  }
  switch (session) {
    case 'resumed':
      return 'Its session was resumed.';
    case 'new':
      return 'A session was begun anew.';
    case 'none':
      return 'The wire has no sessions.';
    case null:
      return 'Whether its session was resumed is not known.';
  }
}

function costText({ messages: { before, after }, wire }: Outage): string {
  if (!after) return 'What it has cost in messages is not known.';
  const [dropped, unknown] = [after.dropped - (before?.dropped ?? 0), after.unknown - (before?.unknown ?? 0)];
  const refused = after.refused - (before?.refused ?? 0);
  const waiting = `${after.waiting} waiting`;
  const doubt = wire === 'plain' ? ` ${UNCONFIRMED}` : '';
  if (dropped === 0 && unknown === 0 && refused === 0)
    return `Messages: none dropped, none in doubt, ${waiting} at the count of ${timeText(after.at)}.${doubt}`;
  const since = before ? `the count of ${timeText(before.at)}` : 'the beginning';
  return `Messages from ${since} to that of ${timeText(after.at)}: ${dropped} dropped${refused > 0 ? `, ${refused} refused` : ''}, ${unknown} in doubt; ${waiting}.${doubt}`;
}

const UNCONFIRMED = 'A plain wire does not confirm: what was sent just before the loss may not have arrived.';

function messagesText({ messages }: ConnectionAccount): string {
  if (!messages) return 'No count of messages is on record.';
  const { stranded, at } = messages;
  const left =
    stranded > 0
      ? ` ${stranded} waited when their process ended, by its last count: lost with it, unless they left after that.`
      : '';
  return `Messages: ${COUNTED.map((key) => `${messages[key]} ${key}`).join(', ')}; last counted at ${timeText(at)}.${left}`;
}

function droppedText({ messages }: ConnectionAccount): string[] {
  const codes = Object.entries(messages?.droppedBy ?? {});
  return codes.length === 0
    ? []
    : [`Dropped by reason: ${codes.map(([code, count]) => `${count} ${nameText(code)}`).join(', ')}.`];
}

function lossesText({ losses, lost }: ConnectionAccount): string[] {
  const lines = losses.map(({ at, id, fate, because }) => {
    const why = because === null ? '' : `: ${nameText(because)}`;
    return `${timeText(at)}: ${id === null ? 'a message without an id' : nameText(id)} ${fate}${why}.`;
  });
  return lost > losses.length ? [...lines, `And ${lost - losses.length} more.`] : lines;
}

function moreText(account: ConnectionAccount): string[] {
  return beforeText(passedOver(account));
}

function beforeText(count: number): string[] {
  return count > 0 ? [`${countText(count, 'disconnect')} before these.`] : [];
}

/** How many disconnects came before those that are kept. */
function passedOver({ disconnects, outages }: ConnectionAccount): number {
  return disconnects - outages.length;
}

function indented(lines: readonly (string | false | null)[]): string[] {
  return lines.filter((line) => typeof line === 'string' && line !== '').map((line) => `  ${line as string}`);
}

function lowered(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function raised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
