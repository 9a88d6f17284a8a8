/**
 * The part of Standard Schema that is used: any schema of zod, valibot, arktype and others is one. Source: standardschema.dev,
 * version 1.
 */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
  };
}

type SchemaResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema made of a value, or what is wrong with it. */
export type Validated<Output> = { ok: true; value: Output } | { ok: false; problem: string };

const MOST_ISSUES = 5;

/** Holds a value to a schema. A schema that answers later is refused: messages keep their order, and nobody waits here. */
export function validated<Output>(schema: StandardSchema<Output>, value: unknown): Validated<Output> {
  const result = schema['~standard'].validate(value);
  if ('then' in result) {
    // it may fail, and nobody listens
    result.then(undefined, () => undefined);
    return { ok: false, problem: 'the schema validates asynchronously, which messages in order cannot wait for' };
  }
  if (!result.issues) return { ok: true, value: result.value };
  return { ok: false, problem: result.issues.slice(0, MOST_ISSUES).map(issueText).join('; ') };
}

function issueText({ path, message }: SchemaIssue): string {
  const keys = (path ?? []).map((segment) => String(typeof segment === 'object' ? segment.key : segment));
  return keys.length > 0 ? `${keys.join('.')}: ${message}` : message;
}
