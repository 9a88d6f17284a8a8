import { isWithin, leavesOf, parentOf, withDescendants } from './chart.ts';
import type { State, Transition } from './chart.ts';
import { heading } from './mermaid.ts';
import { condense, condition, escapeLabel, idOf, indent, stack } from './notation.ts';

/** A chart reduced to what its tags tell the world, and what the picture leaves to words. */
export interface Overview {
  mermaid: string;
  /** A Markdown sentence for each event that the picture does not draw everywhere. */
  notes: readonly string[];
}

/** One line of a label between two nodes; a node is a tag, a group of tags, or a choice. */
interface Way {
  from: string;
  to: string;
  line: string;
  /** The composite that the transition names as its target, for a way that may end at its border. */
  target: string;
}

interface Group {
  id: string;
  state: State;
  /** The nodes inside. */
  members: readonly string[];
}

/** Above this number of sources, what leads to the same state for the same reason is told in words. */
const MAX_ALIKE = 2;

/**
 * The chart as the world sees it: inner states fall together to the tag they carry, states without a tag (which are
 * only passed through) are choices, and only what changes the tag is drawn. `null` for a chart without tags.
 */
export function drawOverview(chart: State): Overview | null {
  const leaves = leavesOf(chart);
  if (leaves.every(({ tags }) => tags.length === 0)) return null;
  const single = distinct(leaves.flatMap((leaf) => waysFrom(chart, leaf)));
  const groups = groupsOf(chart).filter((group) => isClosed(group, single));
  const { drawn, told } = prune(grouped(single, groups), groups);
  const blocks = groups.map((group) => ({ group, ways: drawn.filter(({ from }) => group.members.includes(from)) }));
  const outer = drawn.filter((way) => !blocks.some(({ ways }) => ways.includes(way)));
  const lines = [`[*] --> ${nodeOf(entered(chart, chart))}`, ...nodeLines(chart, blocks), ...edgeLines(outer)];
  return { mermaid: [...heading(chart), ...indent(lines)].join('\n'), notes: told };
}

/** The innermost composites that hold more than one tag: their states share ways out. */
function groupsOf(chart: State): Group[] {
  const membersOf = (state: State) => [...new Set(leavesOf(state).map(nodeOf))];
  const holdsSeveral = (state: State) => state.children.length > 0 && membersOf(state).length > 1;
  return withDescendants(chart)
    .filter((state) => state !== chart && holdsSeveral(state) && !state.children.some(holdsSeveral))
    .map((state) => ({ id: idOf(state.path), state, members: membersOf(state) }));
}

/** Whether no arrow would cross the border of the group, which Mermaid does not draw well. */
function isClosed(group: Group, ways: readonly Way[]): boolean {
  const isMember = (node: string) => group.members.includes(node);
  return grouped(ways, [group]).every(({ from, to }) => isMember(from) === isMember(to));
}

function nodeLines(chart: State, blocks: readonly { group: Group; ways: readonly Way[] }[]): string[] {
  const labels = new Map(leavesOf(chart).map((leaf) => [nodeOf(leaf), leaf.tags[0]]));
  const declare = (node: string) => {
    const label = labels.get(node);
    return label === undefined ? `state ${node} <<choice>>` : `state "${escapeLabel(label)}" as ${node}`;
  };
  return [...labels.keys()].flatMap((node) => {
    const block = blocks.find(({ group }) => group.members.includes(node));
    if (!block) return [declare(node)];
    const { id, state, members } = block.group;
    if (members[0] !== node) return [];
    const inside = [`[*] --> ${nodeOf(entered(chart, state))}`, ...members.map(declare), ...edgeLines(block.ways)];
    return [`state "${escapeLabel(state.name)}" as ${id} {`, ...indent(inside), '}'];
  });
}

function edgeLines(ways: readonly Way[]): string[] {
  const ends = new Map<string, string[]>();
  for (const { from, to, line } of ways) {
    const edge = `${from} --> ${to}`;
    ends.set(edge, [...(ends.get(edge) ?? []), line]);
  }
  return [...ends].map(([edge, all]) => {
    // what leads there in any case needs no condition beside it
    const lines = all.filter((line) => !all.some((other) => line.startsWith(`${other} [`)));
    const label = stack(lines.includes('[else]') ? ['[else]'] : condense(lines));
    return label === '' ? edge : `${edge} : ${label}`;
  });
}

/** What can happen in a leaf that changes what the world sees. */
function waysFrom(chart: State, leaf: State): Way[] {
  const from = nodeOf(leaf);
  const heard = effective(chart, leaf);
  const endOf = (target: string): string => nodeOf(entered(chart, stateAt(chart, target)));
  return heard.flatMap((transition) => {
    const rivals = heard.filter(
      ({ source, trigger }) => source === transition.source && trigger === transition.trigger,
    );
    const ends = new Set(rivals.flatMap(({ targets }) => (targets.length > 0 ? targets.map(endOf) : [from])));
    // guards make a choice where one of several ways is taken; elsewhere they only refuse what is out of date
    const isChosen = ends.size > 1 && rivals.some(({ isElse }) => isElse);
    return transition.targets.flatMap((target) => {
      const to = endOf(target);
      return to === from ? [] : [{ from, to, target, line: lineOf(transition, isChosen) }];
    });
  });
}

/** The transitions of a leaf and of the states around it, without those that inner ones keep from happening. */
function effective(chart: State, leaf: State): Transition[] {
  const taken = new Set<string>();
  const found: Transition[] = [];
  for (let state: State | null = leaf; state; state = around(chart, state)) {
    const heard = state.transitions.filter(({ trigger, delay }) => delay !== null || !taken.has(trigger));
    found.push(...heard);
    for (const { trigger, guard } of heard) if (guard === null) taken.add(trigger);
  }
  return found;
}

function lineOf(transition: Transition, isChosen: boolean): string {
  const { trigger } = transition;
  if (trigger === 'always') return condition(transition);
  return isChosen ? `${trigger} ${condition(transition)}` : trigger;
}

/** Where every state of a group has the same way out, the group has it; a way to the whole group ends at its border. */
function grouped(ways: readonly Way[], groups: readonly Group[]): Way[] {
  const lifted = ways.map((way) => {
    const left = groups.find(({ members }) => members.includes(way.from) && !members.includes(way.to));
    const isShared = left?.members.every((node) => ways.some((other) => other.from === node && isSame(other, way)));
    const right = groups.find(({ members, state }) => !members.includes(way.from) && isWithin(state.path, way.target));
    const isWhole = right?.members.includes(way.to);
    return { ...way, from: left && isShared ? left.id : way.from, to: right && isWhole ? right.id : way.to };
  });
  return distinct(lifted);
}

function isSame(one: Way, other: Way): boolean {
  return one.to === other.to && one.line === other.line;
}

function distinct(ways: readonly Way[]): Way[] {
  return ways.filter(
    (way, index) => ways.findIndex((other) => other.from === way.from && isSame(other, way)) === index,
  );
}

/** Tells in words what leads to one state from many, except where there is no other way on, or where everything begins. */
function prune(ways: readonly Way[], groups: readonly Group[]): { drawn: Way[]; told: string[] } {
  const nameOf = (node: string) => `\`${groups.find(({ id }) => id === node)?.state.name ?? node}\``;
  const isCommon = (way: Way) => ways.filter((other) => isSame(other, way)).length > MAX_ALIKE;
  const drawn = ways.filter((way) => {
    const outgoing = ways.filter(({ from }) => from === way.from);
    const isFirst = outgoing[0] === way;
    return !isCommon(way) || (isFirst && (way === ways[0] || outgoing.every(isCommon)));
  });
  const left = ways.filter((way) => !drawn.includes(way));
  const told = left
    .filter((way, index) => left.findIndex((other) => isSame(other, way)) === index)
    .map((way) => {
      const sources = left.filter((other) => isSame(other, way)).map(({ from }) => nameOf(from));
      return `\`${way.line}\` also leads to ${nameOf(way.to)} from ${enumerate(sources)}.`;
    });
  return { drawn, told };
}

function enumerate(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}

/** The node that a leaf falls to: that of its tag, or one of its own. */
function nodeOf(leaf: State): string {
  return idOf(leaf.tags[0] ?? leaf.path);
}

/** The leaf that is reached by entering a state. */
function entered(chart: State, state: State): State {
  const next = state.initial === null ? state.children[0] : stateAt(chart, state.initial);
  return next ? entered(chart, next) : state;
}

function around(chart: State, state: State): State | null {
  return state === chart ? null : stateAt(chart, parentOf(state.path));
}

function stateAt(chart: State, path: string): State {
  const state = withDescendants(chart).find((candidate) => candidate.path === path);
  if (!state) throw new Error(`${chart.name} has no state ${path}`);
  return state;
}
