import { isWithin, leavesOf, parentOf, withDescendants } from './chart.ts';
import type { State, Transition } from './chart.ts';
import { condense, condition, escapeLabel, idOf, indent, stack, triggerLines } from './notation.ts';

/** One Mermaid diagram of a chart. */
export interface Picture {
  /** Path of the state whose inside it shows; empty for the whole chart. */
  path: string;
  mermaid: string;
}

/** A composite with more leaves than this is folded, and unfolded in a picture of its own. */
const MAX_LEAVES = 6;

/**
 * The whole chart as Mermaid state diagrams: one, or one more for each composite that is too big to be drawn in its
 * place. Every transition is in one of them.
 *
 * Mermaid's layout loses edges and hides labels where an edge crosses the border of a composite. So none does: a
 * transition that leaves its composite ends at a dashed box with the target's name, and an edge without a label goes on
 * from the border.
 */
export function drawChart(chart: State): Picture[] {
  const folded = withDescendants(chart).filter((state) => state !== chart && isFolded(state));
  return [chart, ...folded].map((state) => ({ path: state.path, mermaid: new Canvas(chart, state).draw() }));
}

/** What every diagram begins with; the title and the description are for those who cannot see it. */
export function heading({ name, description }: Pick<State, 'name' | 'description'>): string[] {
  const lines = [`accTitle: ${escapeLabel(name)}`, `accDescr: ${escapeLabel(description)}`];
  // an empty one would take the next line for its text
  return ['stateDiagram-v2', ...indent(lines.filter((line) => !line.endsWith(': ')))];
}

function isFolded(state: State): boolean {
  return state.children.length > 0 && leavesOf(state).length > MAX_LEAVES;
}

/** The inside of one state. */
class Canvas {
  readonly #chart: State;
  readonly #top: State;
  /** Ids of the nodes that are styled, by style. */
  readonly #classes = { exit: new Set<string>(), folded: new Set<string>(), region: new Set<string>() };

  constructor(chart: State, top: State) {
    this.#chart = chart;
    this.#top = top;
  }

  draw(): string {
    const body = this.#top === this.#chart ? this.#inside(this.#top) : this.#alone(this.#top);
    return [...heading(this.#top), ...indent([...body, ...this.#styles()])].join('\n');
  }

  /** A composite without what surrounds it: its own ways out end at dashed boxes. */
  #alone(top: State): string[] {
    return [...this.#composite(top), ...this.#exits(top)];
  }

  #inside(state: State): string[] {
    return [
      ...(state.initial === null ? [] : [`[*] --> ${idOf(state.initial)}`]),
      ...state.children.flatMap((child) => this.#node(child, state)),
      ...this.#throughout(state),
      ...this.#edges(state),
      ...state.children.flatMap((child) => this.#exits(child)),
    ];
  }

  #node(state: State, parent: State): string[] {
    const id = idOf(state.path);
    if (parent.type === 'parallel') this.#classes.region.add(id);
    if (state.children.length === 0) return leaf(state);
    if (!isFolded(state)) return this.#composite(state);
    this.#classes.folded.add(id);
    return [`state "${escapeLabel(state.name)} …" as ${id}`];
  }

  #composite(state: State): string[] {
    return [`state "${escapeLabel(state.name)}" as ${idOf(state.path)} {`, ...indent(this.#inside(state)), '}'];
  }

  /** What a composite hears without being left: a dashed box beside its states. */
  #throughout(state: State): string[] {
    const lines = keptLines(state);
    if (lines.length === 0) return [];
    const id = `${idOf(state.path || state.name)}_throughout`;
    this.#classes.exit.add(id);
    return [`state "throughout" as ${id}`, ...lines.map((line) => `${id} : ${escapeLabel(line)}`)];
  }

  /** The edges between the children of a state. */
  #edges(parent: State): string[] {
    return parent.children.flatMap((from) => {
      const edges = parent.children
        .filter((to) => to !== from)
        .map((to) => ({ to, all: crossing(from, to), own: waysInto(from, to) }))
        .filter(({ all }) => all.length > 0)
        .map(({ to, all, own }) => {
          const lines = isFolded(from)
            ? condense(all.map(({ trigger }) => trigger))
            : triggerLines(own, (way) => `${condition(way)} ${deeper(way, to)}`.trim());
          const label = stack(lines);
          return `${idOf(from.path)} --> ${idOf(to.path)}${label === '' ? '' : ` : ${label}`}`;
        });
      return from.type === 'final' ? [...edges, `${idOf(from.path)} --> [*]`] : edges;
    });
  }

  /** The ways from a state out of the composite around it, or back to that composite as a whole. */
  #exits(state: State): string[] {
    const around = parentOf(state.path);
    const isTop = state === this.#top;
    const leaving = state.transitions.filter(({ targets }) =>
      targets.some(
        (target) => !isWithin(target, state.path) && (isTop || target === around || !isWithin(target, around)),
      ),
    );
    const ends = [...new Set(leaving.flatMap(({ targets }) => targets))];
    return ends.flatMap((end) => {
      const id = `${idOf(around || this.#chart.name)}_to_${idOf(end || this.#chart.name)}`;
      const isNew = !this.#classes.exit.has(id);
      this.#classes.exit.add(id);
      const label = stack(triggerLines(leaving.filter(({ targets }) => targets.includes(end))));
      const name = escapeLabel(end === '' ? `↺ ${this.#chart.name}` : endName(state.path, end));
      return [...(isNew ? [`state "${name}" as ${id}`] : []), `${idOf(state.path)} --> ${id} : ${label}`];
    });
  }

  #styles(): string[] {
    const styles = {
      exit: 'stroke-dasharray:3 3,fill:none',
      folded: 'stroke-width:3px',
      region: 'stroke-dasharray:6 4',
    };
    return (['exit', 'folded', 'region'] as const).flatMap((name) => {
      const ids = [...this.#classes[name]];
      return ids.length === 0 ? [] : [`classDef ${name} ${styles[name]}`, `class ${ids.join(',')} ${name}`];
    });
  }
}

function leaf(state: State): string[] {
  const id = idOf(state.path);
  const lines = keptLines(state).map((line) => `${id} : ${escapeLabel(line)}`);
  return [`state "${escapeLabel(state.name)}" as ${id}`, ...lines];
}

/** The transitions that do not lead out of their state, a line each. */
function keptLines(state: State): string[] {
  return state.transitions
    .filter(({ targets }) => targets.every((target) => isWithin(target, state.path)))
    .map((way) => [way.trigger, condition(way), deeper(way, state), way.reenter ? '↻' : ''].filter(Boolean).join(' '));
}

/** Every transition that leads from inside one state to inside the other. */
function crossing(from: State, to: State): Transition[] {
  return withDescendants(from).flatMap((state) => waysInto(state, to));
}

function waysInto({ transitions }: State, to: State): Transition[] {
  return transitions.filter(({ targets }) => targets.some((target) => isWithin(target, to.path)));
}

/** What a label adds when a transition leads deeper into a state than its arrow does. */
function deeper({ targets }: Transition, to: State): string {
  const inner = targets.filter((target) => target !== to.path && isWithin(target, to.path));
  return inner.length === 0 ? '' : `→ ${inner.map((target) => relative(target, to.path)).join(', ')}`;
}

/** How the box at the end of a way out is named: by the part of the path that the two states do not share. */
function endName(from: string, end: string): string {
  if (isWithin(from, end)) return `↺ ${relative(end, parentOf(end))}`;
  let shared = parentOf(from);
  while (!isWithin(end, shared)) shared = parentOf(shared);
  return `→ ${relative(end, shared)}`;
}

function relative(path: string, ancestor: string): string {
  return ancestor === '' ? path : path.slice(ancestor.length + 1);
}
