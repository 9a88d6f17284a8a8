import { ConfigurationError } from '../errors.ts';
import { MAX_DELAY_MS } from './backoff.ts';

/** Holds a value to something: every problem with it, as `path: what`. */
export type Rule = (value: unknown, path: string) => string[];

export const isFunction = (value: unknown): boolean => typeof value === 'function';
export const isText = (value: unknown): value is string => typeof value === 'string';
export const isWhole = (value: unknown, least: number, most = Number.MAX_SAFE_INTEGER): boolean =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** Whether a value is an object with these methods. */
export const has = (value: unknown, ...methods: string[]): boolean =>
  isObject(value) && methods.every((name) => isFunction(value[name]));
export const isListOf = (value: unknown, accepts: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(accepts);

/** A rule from a condition. Like every rule but those of {@link required}, it lets `undefined` pass. */
export const must =
  (says: string, accepts: (value: unknown) => boolean): Rule =>
  (value, path) =>
    value === undefined || accepts(value) ? [] : [`${path}: must be ${says}`];

export const required =
  (rule: Rule): Rule =>
  (value, path) =>
    value === undefined ? [`${path}: is required`] : rule(value, path);

/** An object with these fields and no others: `unknown` says why. `together` looks at it once each field holds. */
export const object =
  (fields: Record<string, Rule>, together: Rule = () => [], unknown = (_key: string) => 'unknown option'): Rule =>
  (value, path) => {
    if (value === undefined) return [];
    if (!isObject(value)) return [`${path}: must be an object`];
    const at = (key: string): string => (path === 'options' ? key : `${path}.${key}`);
    const others = Object.keys(value).filter((key) => !Object.hasOwn(fields, key));
    const problems = [
      ...Object.entries(fields).flatMap(([key, rule]) => rule(value[key], at(key))),
      ...others.map((key) => `${at(key)}: ${unknown(key)}`),
    ];
    return problems.length > 0 ? problems : together(value, path);
  };

export const record =
  (rule: Rule): Rule =>
  (value, path) => {
    if (value === undefined) return [];
    if (!isObject(value)) return [`${path}: must be an object of named values`];
    return Object.entries(value).flatMap(([key, item]) => required(rule)(item, `${path}.${key}`));
  };

/** What `accepts` lets pass, `says` being its name, or an object that holds to `otherwise`. */
export const either =
  (says: string, accepts: (value: unknown) => boolean, otherwise: Rule): Rule =>
  (value, path) => {
    if (accepts(value)) return [];
    return value === undefined || isObject(value) ? otherwise(value, path) : [`${path}: must be ${says} or an object`];
  };

export const oneOf = (names: readonly string[]): Rule =>
  must(`one of ${names.join(', ')}`, (value) => names.some((name) => name === value));

export const duration = (leastMs = 0): Rule =>
  must(`a whole number of milliseconds from ${leastMs} to ${MAX_DELAY_MS}`, (value) =>
    isWhole(value, leastMs, MAX_DELAY_MS),
  );
export const count = must('a whole number of at least 0', (value) => isWhole(value, 0));
export const positive = must('a whole number of at least 1', (value) => isWhole(value, 1));
export const limit = must(
  'a whole number of at least 0, or Infinity',
  (value) => value === Infinity || isWhole(value, 0),
);
export const flag = must('true or false', (value) => typeof value === 'boolean');
export const callback = must('a function', isFunction);
export const text = must('a string that is not empty', (value) => isText(value) && value !== '');
export const clock = must('an object with now, setTimeout and clearTimeout', (value) =>
  has(value, 'now', 'setTimeout', 'clearTimeout'),
);

/** What an event emitter's `on` takes. */
export const listening = (types: readonly string[]): Rule =>
  object({ type: required(oneOf(types)), listener: required(callback) });

/**
 * Holds a value to a rule.
 *
 * @throws {ConfigurationError} `INVALID_OPTIONS`, with every problem by path and every unknown key by name.
 */
export function check(rule: Rule, value: unknown): void {
  const problems = required(rule)(value, 'options');
  if (problems.length > 0) throw invalid(problems);
}

/** What is wrong with options. */
export function invalid(problems: readonly string[]): ConfigurationError {
  return new ConfigurationError('INVALID_OPTIONS', { message: `Invalid options: ${problems.join('; ')}.`, problems });
}
