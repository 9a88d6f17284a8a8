const text = new TextDecoder();

/** The forms that a payload comes in. */
export const FORMS = ['text', 'json', 'bytes'] as const;
export type Form = (typeof FORMS)[number];

/** A payload that can be told from any other by its tag, whatever is done to it on its way. `size`: at least so many characters. */
export function payloadOf(tag: string, form: Form, size = 0): unknown {
  const padded = tag.padEnd(size);
  if (form === 'json') return { id: padded, is: [true, null, 1.5] };
  return form === 'text' ? padded : new TextEncoder().encode(padded);
}

/** The tag of a payload: as it was given, as JSON text of it, or as bytes. */
export function tagOf(payload: unknown): string {
  if (payload instanceof ArrayBuffer || ArrayBuffer.isView(payload)) return text.decode(payload).trimEnd();
  if (typeof payload === 'string') return /^["{]/.test(payload) ? tagOf(JSON.parse(payload)) : payload.trimEnd();
  return ((payload as { id?: string } | null)?.id ?? 'nothing').trimEnd();
}
