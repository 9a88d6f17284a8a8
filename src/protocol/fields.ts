import { ProtocolViolation } from './violation.ts';

/**
 * The kinds of a field. `seq`: a position, from 1. `count`: a number of something or a time in whole ms, from 0. `time`: ms on
 * a clock of the sender, fractions allowed. `name`: a short text, not empty. `text`: for people. `secret`: a token, never
 * logged. `json`: any value.
 */
export type Kind =
  'seq' | 'count' | 'time' | 'name' | 'text' | 'secret' | 'flag' | 'json' | 'names' | 'versions' | 'headers';

/** The fields of an object by name, a question mark after the name of one that may be absent. A list has one shape for each item. */
export interface Fields {
  readonly [name: string]: Kind | Fields | readonly [Fields];
}

interface Values {
  seq: number;
  count: number;
  time: number;
  name: string;
  text: string;
  secret: string;
  flag: boolean;
  json: unknown;
  names: string[];
  versions: number[];
  headers: Record<string, string>;
}

type ValueOf<Field> = Field extends Kind
  ? Values[Field]
  : Field extends readonly [infer Item extends Fields]
    ? Shaped<Item>[]
    : Field extends Fields
      ? Shaped<Field>
      : never;

/** What an object with these fields is in TypeScript. */
export type Shaped<Of extends Fields> = Flat<
  { -readonly [Name in keyof Of as Name extends `${string}?` ? never : Name]: ValueOf<Of[Name]> } & {
    -readonly [Name in keyof Of as Name extends `${infer Bare}?` ? Bare : never]?: ValueOf<Of[Name]>;
  }
>;
/** The same type, as one object. */
export type Flat<Type> = { [Key in keyof Type]: Type[Key] };

/** The bounds of the kinds. Part of the protocol: see PROTOCOL.md. */
export const MOST = { name: 256, text: 4_096, secret: 16_384, names: 64, headers: 64 } as const;

const isSafe = (value: unknown, least: number): boolean => Number.isSafeInteger(value) && (value as number) >= least;
const isText = (value: unknown, most: number): boolean => typeof value === 'string' && value.length <= most;
const isName = (value: unknown): boolean => isText(value, MOST.name) && value !== '';
const isListOf = (value: unknown, isItem: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length <= MOST.names && value.every(isItem);

const IS: Record<Kind, (value: unknown) => boolean> = {
  seq: (value) => isSafe(value, 1),
  count: (value) => isSafe(value, 0),
  time: (value) => Number.isFinite(value) && (value as number) >= 0,
  name: isName,
  text: (value) => isText(value, MOST.text),
  secret: (value) => isText(value, MOST.secret),
  flag: (value) => typeof value === 'boolean',
  json: (value) => value !== undefined,
  names: (value) => isListOf(value, isName),
  versions: (value) => isListOf(value, (item) => isSafe(item, 1)),
  headers: (value) => {
    const entries = isPlain(value) ? Object.entries(value) : null;
    return entries !== null && entries.length <= MOST.headers && entries.every(([, text]) => isText(text, MOST.text));
  },
};

// where a value is: by name, or in a list
type Path = string | { readonly list: string; index: number };

/** Holds a value to a shape. @returns Its known fields, copied; what else it has is left out. */
export type Check = (value: unknown, path: Path) => Record<string, unknown>;

/** The check of a shape, made once. @throws {ProtocolViolation} The check does, naming the field and never its value. */
export function checkOf(fields: Fields): Check {
  const entries = Object.entries(fields).map(([name, field]) => {
    const isOptional = name.endsWith('?');
    return { name: isOptional ? name.slice(0, -1) : name, isOptional, check: valueCheckOf(field) };
  });
  return (value, path) => {
    if (!isPlain(value)) throw new ProtocolViolation(`${said(path)} is no object`);
    const checked: Record<string, unknown> = {};
    for (const { name, isOptional, check } of entries) {
      // own fields only: nothing that a peer can write reaches a prototype
      const given = Object.hasOwn(value, name) ? value[name] : undefined;
      if (given === undefined && isOptional) continue;
      checked[name] = check(given, path, name);
    }
    return checked;
  };
}

// `path` and `name`: where the value is, put together only where it is told
function valueCheckOf(field: Fields[string]): (value: unknown, path: Path, name: string) => unknown {
  if (typeof field === 'string') {
    const is = IS[field];
    return (value, path, name) => {
      if (!is(value)) throw new ProtocolViolation(`${said(path)}.${name} is no ${field}`);
      return value;
    };
  }
  if (!isList(field)) {
    const check = checkOf(field);
    return (value, path, name) => check(value, `${said(path)}.${name}`);
  }
  const item = checkOf(field[0]);
  return (value, path, name) => {
    if (!Array.isArray(value) || value.length === 0)
      throw new ProtocolViolation(`${said(path)}.${name} is no list with something in it`);
    // one place for all of them: which it is, is looked up by whoever complains
    const place = { list: `${said(path)}.${name}`, index: 0 };
    return value.map((each, index) => {
      place.index = index;
      return item(each, place);
    });
  };
}

function said(path: Path): string {
  return typeof path === 'string' ? path : `${path.list}[${path.index}]`;
}

function isList(field: Fields | readonly [Fields]): field is readonly [Fields] {
  return Array.isArray(field);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
