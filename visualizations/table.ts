import { transitionsOf, withDescendants } from './chart.ts';
import type { State, Transition } from './chart.ts';

/** A Markdown table of the states, in document order. The root comes first, under the machine's id. */
export function stateTable(chart: State): string {
  const rows = withDescendants(chart).map((state) => [
    code(nameOf(chart, state.path)),
    escapeCell(state.description),
    list(state.tags),
    list(state.entry),
    list(state.exit),
    list(state.invokes),
  ]);
  return table(['State', 'Description', 'Status', 'Entry', 'Exit', 'Invokes'], rows);
}

/** A Markdown table with a row for each transition definition, outer states first. */
export function transitionTable(chart: State): string {
  const rows = transitionsOf(chart).map((transition) => [
    code(nameOf(chart, transition.source)),
    code(transition.delay === null ? transition.trigger : 'after'),
    transition.isElse ? 'else' : list(transition.guard === null ? [] : [transition.guard]),
    targetOf(chart, transition),
    list(transition.effects),
    list(transition.delay === null ? [] : [transition.delay]),
    escapeCell(transition.description),
  ]);
  return table(['From', 'Event', 'Guard', 'Target', 'Effects', 'Delay', 'Description'], rows);
}

/** Text that stays inside its cell. */
function escapeCell(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('|', '\\|');
}

function targetOf(chart: State, { targets, reenter }: Transition): string {
  const names = list(targets.map((path) => nameOf(chart, path)));
  return reenter ? `${names} (re-entered)` : names;
}

function nameOf(chart: State, path: string): string {
  return path === '' ? chart.name : path;
}

function list(names: readonly string[]): string {
  return names.map(code).join(', ');
}

function code(text: string): string {
  return `\`${escapeCell(text)}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
