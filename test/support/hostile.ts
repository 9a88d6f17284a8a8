import fc from 'fast-check';

/** Whatever a broken clock or a broken peer could make a number of. */
export const hostileNumber: fc.Arbitrary<number> = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(
    NaN,
    Infinity,
    -Infinity,
    -0,
    -1,
    Number.MAX_VALUE,
    Number.MIN_VALUE,
    Number.MAX_SAFE_INTEGER,
    8.64e15,
  ),
);

/** Times of a clock that mostly goes on, and now and then stands still, goes back, or jumps by years. */
export const hostileTimes: fc.Arbitrary<number[]> = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ step: fc.double({ min: 0, max: 30_000, noNaN: true }) }) },
      { weight: 1, arbitrary: fc.constant({ step: 0 }) },
      { weight: 1, arbitrary: fc.record({ step: fc.constantFrom(-1, -60_000, -3.2e11, 3.2e11) }) },
      { weight: 1, arbitrary: fc.record({ at: hostileNumber }) },
    ),
    { maxLength: 150 },
  )
  .map((moves) => {
    let now = 1_000;
    return moves.map((move) => ('at' in move ? move.at : (now += move.step)));
  });

/** The numbers in a value that no measure can have: not finite, or negative. By path. */
export function impossible(value: unknown, path = 'value'): string[] {
  if (typeof value === 'number') return value >= 0 && value < Infinity ? [] : [`${path} is ${value}`];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => impossible(inner, `${path}.${key}`));
}
