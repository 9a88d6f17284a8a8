/**
 * Canonical JSON: keys sorted by UTF-16 code units, no white space, numbers and strings as ECMAScript writes them. What JSON cannot hold never throws here, for a
 * record is made in the middle of somebody's work: it becomes `null` as in `JSON.stringify`, an unpaired surrogate U+FFFD, a ring `null`. Source: RFC 8785.
 */
export function canonicalJson(value: unknown): string {
  return written(value, []) ?? 'null';
}

/** A string as canonical JSON. */
export function canonicalText(text: string): string {
  return JSON.stringify(UNPAIRED.test(text) ? text.replace(UNPAIRED_ALL, '\ufffd') : text);
}

const UNPAIRED = /\p{Surrogate}/u;
const UNPAIRED_ALL = /\p{Surrogate}/gu;

function written(value: unknown, above: readonly unknown[]): string | undefined {
  switch (typeof value) {
    case 'string':
      return canonicalText(value);
    case 'number':
      return Number.isFinite(value) ? JSON.stringify(value) : 'null';
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null || above.includes(value)) return 'null';
      return Array.isArray(value) ? listed(value, [...above, value]) : fielded(value, [...above, value]);
    default:
      return undefined;
  }
}

function listed(list: readonly unknown[], above: readonly unknown[]): string {
  return `[${list.map((item) => written(item, above) ?? 'null').join(',')}]`;
}

function fielded(fields: object, above: readonly unknown[]): string {
  const values = fields as Record<string, unknown>;
  let text = '';
  for (const key of Object.keys(values).sort()) {
    const value = written(values[key], above);
    if (value !== undefined) text += `${text === '' ? '' : ','}${canonicalText(key)}:${value}`;
  }
  return `{${text}}`;
}
