import type { StandardSchema } from '../../src/protocol/schema.ts';

/** A schema that holds values to a test, and may make something else of them. Throws what `check` throws. */
export function schemaOf<Output>(
  check: (value: unknown) => Output | { problem: string; path?: PropertyKey[] },
): StandardSchema<Output> {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => {
        const result = check(value);
        if (isProblem(result))
          return { issues: [{ message: result.problem, ...(result.path && { path: result.path }) }] };
        return { value: result };
      },
    },
  };
}

/** A schema that answers later. */
export function lateSchema(answer: Promise<{ value: string }>): StandardSchema<string> {
  return { '~standard': { version: 1, vendor: 'test', validate: () => answer } };
}

export interface Say {
  say: string;
}

/** Objects with a text at `say`. */
export const sayings = schemaOf<Say>((value) => {
  const { say } = Object(value) as { say?: unknown };
  return typeof say === 'string' ? { say } : { problem: 'no text', path: ['say'] };
});

function isProblem(result: unknown): result is { problem: string; path?: PropertyKey[] } {
  return typeof result === 'object' && result !== null && 'problem' in result;
}
