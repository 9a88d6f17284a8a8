import type { Json } from './record.ts';

/** Where a literal stands. */
export interface LiteralPlace {
  /** How far its line is indented. */
  indent: number;
  /** Columns of its line that are used before it. */
  used: number;
  /** Columns that follow it on its line. */
  after: number;
}

const MOST_COLUMNS = 120;
const TAB = 2;
const LEAST_GAIN = 3;
const NAME = /^[a-z_$][\w$]*$/i;
// what ends a line or turns it around, and what cannot be seen; JSON escapes no more than it must
const RISKY = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** JSON as a literal of TypeScript, in the format of Prettier with single quotes: whatever is in it, it is data. */
export function literal(value: Json, place: LiteralPlace): string {
  const flat = flatly(value);
  if (!hasToBreak(value) && place.used + flat.length + place.after <= MOST_COLUMNS) return flat;
  if (typeof value !== 'object' || value === null) return flat;
  const indent = place.indent + TAB;
  const pad = ' '.repeat(indent);
  const lines = isList(value)
    ? value.map((item) => `${pad}${literal(item, { indent, used: indent, after: 1 })},`)
    : Object.entries(value).map(([key, item]) => `${pad}${field(key, item, indent)},`);
  const [open, close] = isList(value) ? '[]' : '{}';
  return lines.length === 0 ? flat : `${open}\n${lines.join('\n')}\n${' '.repeat(place.indent)}${close}`;
}

/** A text as a literal, with the quotes that need fewer escapes. */
export function textLiteral(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replace(RISKY, escaped);
  const [singles, doubles] = [text.split("'").length, text.split('"').length];
  return singles > doubles ? `"${inner}"` : `'${inner.replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

/** A text as it may stand in a comment of one line. */
export function commentText(text: string): string {
  // eslint-disable-next-line no-control-regex -- what ends a comment is the point
  return text.replace(/[\u0000-\u001f]/g, ' ').replace(RISKY, ' ');
}

function field(key: string, value: Json, indent: number): string {
  const name = keyLiteral(key);
  const used = indent + name.length + 2;
  const text = literal(value, { indent, used, after: 1 });
  // what is gained by a line of its own has to be worth it
  const isWide = name.length >= TAB + LEAST_GAIN;
  const isLong = typeof value === 'string' && used + text.length + 1 > MOST_COLUMNS && isWide;
  return isLong ? `${name}:\n${' '.repeat(indent + TAB)}${text}` : `${name}: ${text}`;
}

function flatly(value: Json): string {
  if (typeof value === 'string') return textLiteral(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(flatly).join(', ')}]`;
  const fields = Object.entries(value).map(([key, item]) => `${keyLiteral(key)}: ${flatly(item)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}

// Prettier breaks a list of several objects, or of several lists, that have more than one part each
function hasToBreak(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (!isList(value)) return Object.values(value).some(hasToBreak);
  const [first] = value;
  const isMatrix =
    value.length > 1 &&
    value.every(
      (item) =>
        typeof item === 'object' &&
        item !== null &&
        isList(item) === isList(first as object) &&
        Object.keys(item).length > 1,
    );
  return isMatrix || value.some(hasToBreak);
}

// as a plain key of a literal this one would set the prototype
function keyLiteral(key: string): string {
  if (key === '__proto__') return "['__proto__']";
  return NAME.test(key) ? key : textLiteral(key);
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
