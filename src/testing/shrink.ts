/**
 * Leaves out of a list what is not needed for something to hold: first large parts, then smaller ones, then single items.
 *
 * Source: Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002: the complement half of ddmin.
 *
 * @param holds Asked for each candidate, a part of the list in its order; it holds for the list itself.
 * @param most How many candidates are tried.
 */
export async function shrink<Item>(
  items: readonly Item[],
  holds: (candidate: readonly Item[]) => Promise<boolean>,
  most: number,
): Promise<readonly Item[]> {
  let kept = items;
  let size = Math.ceil(kept.length / 2);
  for (let tried = 0; size > 0;) {
    let hasShrunk = false;
    // from the end: what comes last is needed least often
    for (let from = kept.length - size; from > -size; from -= size) {
      if (tried++ >= most) return kept;
      const candidate = [...kept.slice(0, Math.max(0, from)), ...kept.slice(from + size)];
      if (!(await holds(candidate))) continue;
      kept = candidate;
      hasShrunk = true;
    }
    size = size === 1 ? (hasShrunk ? 1 : 0) : Math.ceil(size / 2);
  }
  return kept;
}
