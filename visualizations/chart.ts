import type { AnyStateMachine, AnyStateNode } from 'xstate';

/** One state of a chart, with what a reader asks of it. The root of the chart is a state too; its path is empty. */
export interface State {
  /** From the root, as in `live.connecting.dialing`. */
  path: string;
  /** What the state is called among its siblings; of the root, the machine's id. */
  name: string;
  type: AnyStateNode['type'];
  description: string;
  /** Those that are set in this state: its own, and those of the states around it. */
  tags: readonly string[];
  entry: readonly string[];
  exit: readonly string[];
  invokes: readonly string[];
  /** Path of the child that is entered first; `null` where none or every child is. */
  initial: string | null;
  children: readonly State[];
  /** In the order in which XState considers them. */
  transitions: readonly Transition[];
}

/** One transition definition. */
export interface Transition {
  /** Path of the state that defines it. */
  source: string;
  /** The event as the machine hears it, or `after` a delay, or `always`. */
  trigger: string;
  guard: string | null;
  /** Whether it is what remains when the guards before it, for the same trigger, say no. */
  isElse: boolean;
  /** Paths; none when the state is kept. More than one only into the regions of a parallel state. */
  targets: readonly string[];
  reenter: boolean;
  effects: readonly string[];
  delay: string | null;
  description: string;
}

/** A machine as a tree of names: all that its drawings are made from. */
export function chartOf(machine: AnyStateMachine): State {
  return stateOf(machine.root, []);
}

/** The state and everything below it, in document order. */
export function withDescendants(state: State): State[] {
  return [state, ...state.children.flatMap(withDescendants)];
}

/** The states without children, in document order. */
export function leavesOf(state: State): State[] {
  return withDescendants(state).filter(({ children }) => children.length === 0);
}

/** Every transition definition of a chart, outer states first. */
export function transitionsOf(chart: State): Transition[] {
  return withDescendants(chart).flatMap(({ transitions }) => transitions);
}

/** Whether a path is that of the state or of one inside it. */
export function isWithin(path: string, ancestor: string): boolean {
  return ancestor === '' || path === ancestor || path.startsWith(`${ancestor}.`);
}

/** The path of the state around this one. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('.')));
}

function stateOf(node: AnyStateNode, inherited: readonly string[]): State {
  const tags = [...new Set([...inherited, ...node.tags])];
  const children = Object.values(node.states).map((child) => stateOf(child, tags));
  const initial = node.type === 'compound' ? node.initial.target[0] : undefined;
  return {
    path: node.path.join('.'),
    name: node.key,
    type: node.type,
    description: node.description ?? '',
    tags,
    entry: node.entry.filter((action) => !isTimer(action)).map(callOf),
    exit: node.exit.filter((action) => !isTimer(action)).map(callOf),
    invokes: node.invoke.map(({ id, src }) => (id === src ? id : `${id} (${callOf(src)})`)),
    initial: initial?.path.join('.') ?? null,
    children,
    transitions: transitionsFrom(node),
  };
}

function transitionsFrom(node: AnyStateNode): Transition[] {
  const delays = new Map(node.after.map(({ eventType, delay }) => [eventType, String(delay)]));
  const groups = [...(node.always ? [['always', node.always] as const] : []), ...node.transitions];
  return groups.flatMap(([event, definitions]) => {
    const delay = delays.get(event) ?? null;
    return definitions.map(({ guard, target = [], reenter, actions, description = '' }, index) => ({
      source: node.path.join('.'),
      trigger: delay === null ? event : `after ${delay}`,
      guard: guard === undefined ? null : callOf(guard),
      isElse: index > 0 && guard === undefined,
      targets: target.map(({ path }) => path.join('.')),
      reenter,
      effects: actions.map(callOf),
      delay,
      description,
    }));
  });
}

// XState starts and cancels the timer of an `after` with an entry and an exit action of its own
function isTimer(action: unknown): boolean {
  return typeof action === 'function' && 'type' in action && /^xstate\.(raise|cancel)$/.test(String(action.type));
}

/** What an action, a guard or an actor is called in the chart, with its parameters. */
function callOf(reference: unknown): string {
  if (typeof reference === 'string') return reference;
  if (typeof reference !== 'object' || reference === null || !('type' in reference)) return '(inline)';
  const name = String(reference.type);
  return 'params' in reference && reference.params !== undefined ? `${name}(${paramsOf(reference.params)})` : name;
}

function paramsOf(params: unknown): string {
  if (typeof params !== 'object' || params === null) return JSON.stringify(params);
  return Object.entries(params)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}
