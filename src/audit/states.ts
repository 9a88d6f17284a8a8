import { CONNECTION_STATES, type ConnectionStateName, type RetryHold } from '../../machines/index.ts';
import { canonicalJson } from './canonical.ts';
import { MACHINES } from './definitions.ts';
import { fieldsOf, textOf } from './facts.ts';

const HOLDS: ReadonlyMap<string, RetryHold> = new Map([
  ['waiting', 'delay'],
  ['told', 'server'],
  ['offline', 'network'],
  ['hidden', 'visibility'],
  ['suspended', 'page'],
]);
const MOST_KNOWN = 256;

/** The states that the world sees, of the states that records tell. Of a chart that is not the one here some may not be known. */
export class WorldStates {
  readonly #known = new Map<string, ConnectionStateName | null>();

  /** `null` where the chart has no such state. */
  of(value: unknown): ConnectionStateName | null {
    const key = canonicalJson(value);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = stateOfValue(value);
    // the chart has few: so many are nonsense
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(key, found);
    return found;
  }
}

/** What a state of the chart waits for; `null` where it does not wait for its next attempt. */
export function holdOf(value: unknown): RetryHold | null {
  return HOLDS.get(textOf(fieldsOf(value)['backoff']) ?? '') ?? null;
}

/** Whether messages flow. */
export function isUp(state: ConnectionStateName | null): boolean {
  return state === 'open' || state === 'degraded';
}

function stateOfValue(value: unknown): ConnectionStateName | null {
  // of nothing the chart makes its beginning
  if (typeof value !== 'string' && (Array.isArray(value) || Object.keys(fieldsOf(value)).length === 0)) return null;
  try {
    const { tags } = MACHINES.get('connection')?.resolveState({ value: value as never, context: {} }) ?? {};
    return CONNECTION_STATES.find((name) => tags?.has(name)) ?? null;
  } catch {
    return null;
  }
}
