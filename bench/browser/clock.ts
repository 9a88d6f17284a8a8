/** A clock that was read from afar: when it was asked by one's own, what it said, and when that was here. */
export interface Reading {
  asked: number;
  said: number;
  answered: number;
}

/** How far another clock is ahead of one's own, and by how much that may be wrong: half the way there and back, of the reading that took the least. */
export function aheadBy(readings: readonly Reading[]): { ahead: number; error: number } {
  const [best] = readings.toSorted((one, other) => lasted(one) - lasted(other));
  if (!best) throw new Error('The clock was not read.');
  return { ahead: best.said - (best.asked + best.answered) / 2, error: lasted(best) / 2 };
}

function lasted({ asked, answered }: Reading): number {
  return answered - asked;
}
