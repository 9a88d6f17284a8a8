/** What has changed between two values, by path: `members.3.use`; of a list that has lost items, which. */
export type Changes = Record<string, unknown>;

/**
 * What is another in `after` than in `before`, as the paths of the smallest parts that have changed. What is gone is `null`; items that a list has lost are under its path as
 * `{removed: [indices]}`. What is the same object is not looked into: what a change costs goes by what has changed.
 */
export function changesBetween(before: object, after: object): Changes {
  const changes: Changes = {};
  note(before, after, { prefix: '', changes });
  return changes;
}

interface Place {
  prefix: string;
  changes: Changes;
}

function note(before: object, after: object, place: Place): void {
  const [was, is] = [before as Record<string, unknown>, after as Record<string, unknown>];
  for (const key in is) if (was[key] !== is[key]) noteItem(was[key], is[key], { ...place, prefix: place.prefix + key });
  for (const key in was) if (!(key in is)) place.changes[place.prefix + key] = null;
}

function noteItem(was: unknown, is: unknown, { prefix, changes }: Place): void {
  if (!isComposite(was) || !isComposite(is) || Array.isArray(was) !== Array.isArray(is)) {
    changes[prefix] = is ?? null;
    return;
  }
  if (Array.isArray(was) && Array.isArray(is) && is.length < was.length) {
    // what is left of it is the same, or it is another list
    const removed = was.flatMap((item, index) => (is.includes(item) ? [] : [index]));
    changes[prefix] = was.length - removed.length === is.length ? { removed } : is;
    return;
  }
  note(was, is, { prefix: `${prefix}.`, changes });
}

function isComposite(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
