/**
 * Canonical JSON: keys sorted by UTF-16 code units, no white space, numbers and strings as ECMAScript writes them. What JSON cannot hold never throws here, for a
 * record is made in the middle of somebody's work: it becomes `null` or is left out as in `JSON.stringify`, an unpaired surrogate U+FFFD, a ring `null`, and `null` is all
 * that is written of what cannot be read. No `toJSON` is asked. Source: RFC 8785.
 */
export function canonicalJson(value: unknown): string {
  try {
    return written(value, []) ?? 'null';
  } catch {
    // a getter of somebody's object, or more depth than there is a stack for
    return 'null';
  }
}

/** A string as canonical JSON. */
export function canonicalText(text: string): string {
  // most need no escape, and are asked for so often that this counts
  if (PLAIN.test(text)) return `"${text}"`;
  const json = JSON.stringify(text);
  // only of what is unpaired does it write the number
  return json.includes('\\ud') ? JSON.stringify(text.replace(UNPAIRED, '\ufffd')) : json;
}

const PLAIN = /^[ !#-[\]-~]*$/;
const UNPAIRED = /\p{Surrogate}/gu;

/** A number as canonical JSON, sooner where it has no more than three decimals, as times have. */
export function canonicalTime(value: number): string {
  const thousandths = Math.round(value * 1_000);
  const isExact = thousandths / 1_000 === value && thousandths >= 0 && thousandths <= MOST_THOUSANDTHS;
  if (!isExact) return canonicalJson(value);
  const rest = thousandths % 1_000;
  return `${(thousandths - rest) / 1_000}${DECIMALS[rest] ?? ''}`;
}

// so few digits that no shorter number is the same one
const MOST_THOUSANDTHS = 1e15;
const DECIMALS = Array.from({ length: 1_000 }, (_, rest) => String(rest / 1_000).slice(1));

/** The keys of an object in the order of canonical JSON. */
export function sortedKeys(fields: object): string[] {
  const keys = Object.keys(fields);
  if (keys.length > MANY_KEYS) return keys.sort();
  // most have few, nearly in order: put each in its place, without what sorting sets up for lists of any length
  for (let end = 1; end < keys.length; end++) {
    const key = keys[end] as string;
    let place = end;
    for (; place > 0 && (keys[place - 1] as string) > key; place--) keys[place] = keys[place - 1] as string;
    keys[place] = key;
  }
  return keys;
}

const MANY_KEYS = 16;

function written(value: unknown, above: unknown[]): string | undefined {
  switch (typeof value) {
    case 'string':
      return canonicalText(value);
    case 'number':
      return Number.isFinite(value) ? JSON.stringify(value) : 'null';
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null || above.includes(value)) return 'null';
      return composite(value, above);
    default:
      return undefined;
  }
}

function composite(value: object, above: unknown[]): string {
  above.push(value);
  const text = Array.isArray(value) ? listed(value, above) : fielded(value, above);
  above.pop();
  return text;
}

function listed(list: readonly unknown[], above: unknown[]): string {
  // `map` would pass over holes
  return `[${Array.from(list, (item) => written(item, above) ?? 'null').join(',')}]`;
}

function fielded(fields: object, above: unknown[]): string {
  const values = fields as Record<string, unknown>;
  let text = '';
  for (const key of sortedKeys(values)) {
    const value = written(values[key], above);
    if (value !== undefined) text += `${text === '' ? '{' : ','}${canonicalText(key)}:${value}`;
  }
  return text === '' ? '{}' : `${text}}`;
}
