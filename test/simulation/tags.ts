const text = new TextDecoder();

/** The forms that a payload comes in. */
export const FORMS = ['text', 'json', 'bytes'] as const;
export type Form = (typeof FORMS)[number];

/** A payload that can be told from any other by its tag, whatever is done to it on its way. */
export function payloadOf(tag: string, form: Form): unknown {
  if (form === 'text') return tag;
  return form === 'json' ? { id: tag, is: [true, null, 1.5] } : new TextEncoder().encode(tag);
}

/** The tag of a payload: as it was given, as JSON text of it, or as bytes. */
export function tagOf(payload: unknown): string {
  if (payload instanceof ArrayBuffer || ArrayBuffer.isView(payload)) return text.decode(payload);
  if (typeof payload === 'string') return /^["{]/.test(payload) ? tagOf(JSON.parse(payload)) : payload;
  return String((payload as { id?: unknown } | null)?.id);
}
