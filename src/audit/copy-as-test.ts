import { ConfigurationError } from '../errors.ts';
import { check, must, object, required, text } from '../core/rules.ts';
import { readMachineName } from './definitions.ts';
import { timeOf } from './facts.ts';
import { commentText, literal, textLiteral } from './literal.ts';
import type { Json } from './record.ts';
import { Scenes, type Cast, type RecordedTurn, type Scene } from './scenes.ts';
import { readingsOf, sourceRule, type AuditSource } from './source.ts';
import { countText, timeText } from './wording.ts';

export interface CopyAsTestOptions {
  /** Whose turns: the path of an actor as the records have it, such as that of the health of a connection. @default the connection with most turns */
  actor?: string;
  /** The same by the id of a connection. */
  connection?: string;
  /** What the test is called. */
  title?: string;
  /** Which of its turns, in ms since 1970. @default all of them */
  from?: number;
  to?: number;
}

const time = must('a time in ms since 1970', (value) => Number.isFinite(value));
const rule = object(
  { source: required(sourceRule), actor: text, connection: text, title: text, from: time, to: time },
  (value) => {
    const { actor, connection } = value as CopyAsTestOptions;
    return actor !== undefined && connection !== undefined ? ['actor: does not go with connection'] : [];
  },
);

/**
 * Writes a test for Vitest that steps the machine of one actor through the events on record, and compares each state and what was done: what happened once becomes a test that holds for ever. It
 * imports nothing but `vitest` and `holdfast/audit`. The first thousand turns are in it; where records are missing it begins again with the next state on record.
 *
 * @param source As for {@link verify}; what is no record is passed over.
 * @throws {ConfigurationError} `INVALID_OPTIONS`, also where no turn of such an actor is on record.
 */
export async function copyAsTest(source: AuditSource, options: CopyAsTestOptions = {}): Promise<string> {
  check(rule, { ...options, source });
  const { title, from = -Infinity, to = Infinity } = options;
  const scenes = new Scenes({ isWanted: wanted(options), from, to });
  for await (const readings of readingsOf(source)) {
    for (const { entry } of readings) if (entry) scenes.take(entry.record);
  }
  const cast = scenes.longest;
  if (!cast || cast.turns === 0) {
    const problem = 'source: has no turn of such an actor that can be played again';
    throw new ConfigurationError('INVALID_OPTIONS', { message: `Invalid options: ${problem}.`, problems: [problem] });
  }
  return fileOf(cast, title ?? `${cast.actor} takes the turns that are on record`);
}

function wanted({ actor, connection }: CopyAsTestOptions): (path: string, machine: string) => boolean {
  if (actor !== undefined) return (path) => path === actor;
  const end = connection === undefined ? '' : `/connection:${connection.replace(/%/g, '%25').replace(/\//g, '%2F')}`;
  return (path, machine) => machine === 'connection' && path.endsWith(end);
}

function fileOf(cast: Cast, title: string): string {
  const scenes = cast.scenes.filter(({ turns }) => turns.length > 0);
  const kept = scenes.reduce((sum, { turns }) => sum + turns.length, 0);
  const left = cast.turns - kept;
  const last = scenes.at(-1)?.turns.at(-1)?.at;
  const { id } = readMachineName(scenes[0]?.machine ?? '');
  const names = [...new Set(scenes.map(({ machine }) => machine))].join(', ');
  const facts = [
    `An audit log from ${timeText(timeOf(scenes[0]?.at))} to ${timeText(timeOf(last))}: ${countText(kept, 'turn')} of`,
    `${cast.actor}, ${names}.`,
    ...(left > 0 ? [`There were ${left} more, which are not in here.`] : []),
  ];
  const tests = scenes.map((scene, index) => testOf(scene, scenes.length > 1 ? `${title}, part ${index + 1}` : title));
  return `${HEAD}${facts.map((fact) => `// ${commentText(fact)}\n`).join('')}
/** An event, the state that followed, and what was done. */
type Turn = [event: RecordedEvent, to: Json, effects: string[]];

function expectTurns(start: RehearsalStart, begins: Json, turns: readonly Turn[]): void {
  const [begun, ...rehearsed] = rehearse({ machine: ${textLiteral(id)}, start, events: turns.map(([event]) => event) });
  expect(begun?.to).toEqual(begins);
  for (const [index, [event, to, effects]] of turns.entries()) {
    const { to: reached, effects: done } = rehearsed[index] ?? {};
    expect({ to: reached, effects: done }, \`turn \${index + 1}, \${event.type}\`).toEqual({ to, effects });
  }
}

${tests.join('\n')}`;
}

const HEAD = `import { rehearse, type Json, type RecordedEvent, type RehearsalStart } from 'holdfast/audit';
import { expect, test } from 'vitest';

`;

function testOf({ start, begins, turns }: Scene, title: string): string {
  return `test(${textLiteral(title)}, () => {
  const start: RehearsalStart = ${literal(start, { indent: 2, used: '  const start: RehearsalStart = '.length, after: 1 })};
  const begins: Json = ${literal(begins, { indent: 2, used: '  const begins: Json = '.length, after: 1 })};
  const turns: Turn[] = [
${turns.map(rowOf).join('\n')}
  ];
  expectTurns(start, begins, turns);
});
`;
}

function rowOf({ at, event, to, effects }: RecordedTurn): string {
  const row: Json = [event, to, effects];
  return `    // ${timeText(timeOf(at))}\n    ${literal(row, { indent: 4, used: 4, after: 1 })},`;
}
