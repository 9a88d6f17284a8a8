/** Numbers that had come before. */
export function repeats(numbers: readonly number[]): number[] {
  const seen = new Set<number>();
  return numbers.filter((number) => seen.size === seen.add(number).size);
}

/** Numbers that came right after a higher one. */
export function descents(numbers: readonly number[]): number[] {
  return numbers.filter((number, index) => number < (numbers[index - 1] ?? 0));
}

/** Numbers from 1 to the last that never came. */
export function missing(numbers: readonly number[], last: number): number[] {
  const seen = new Set(numbers);
  return Array.from({ length: last }, (_, index) => index + 1).filter((number) => !seen.has(number));
}
