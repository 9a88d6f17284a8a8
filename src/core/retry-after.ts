/**
 * How long a refusal asks to stay away, in ms: the field holds seconds, or a date. Nonsense and the past are 0.
 *
 * Source: RFC 9110, section 10.2.3.
 */
export function retryAfterMs(field: string | undefined, now: number): number {
  if (field === undefined) return 0;
  const text = field.trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  return ms > 0 ? ms : 0;
}
