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
  // `in` would find `constructor` in every object
  for (const key in was) if (!Object.hasOwn(is, key)) place.changes[place.prefix + key] = null;
}

function noteItem(was: unknown, is: unknown, { prefix, changes }: Place): void {
  if (!isComposite(was) || !isComposite(is) || Array.isArray(was) !== Array.isArray(is)) {
    changes[prefix] = is ?? null;
    return;
  }
  if (Array.isArray(was) && Array.isArray(is) && is.length < was.length) {
    changes[prefix] = lostFrom(was, is) ?? is;
    return;
  }
  note(was, is, { prefix: `${prefix}.`, changes });
}

// what is left is the same in the same order, or it is another list
function lostFrom(was: readonly unknown[], is: readonly unknown[]): { removed: number[] } | null {
  const removed: number[] = [];
  let kept = 0;
  for (const [index, item] of was.entries()) {
    if (kept < is.length && item === is[kept]) kept += 1;
    else removed.push(index);
  }
  return kept === is.length ? { removed } : null;
}

function isComposite(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
