import type { Chance } from './chance.ts';

/** What must be in no log. */
export const PLANTED = { payload: 'planted-payload', token: 'planted-token', query: 'planted-query' };
/** How a message ends that must arrive, and be answered. */
export const LAST_WORD = 'the last word';

/** A message that can be told from any other by its tag. */
export function payloadOf(tag: string, chance: Chance): string {
  return `${tag} ${PLANTED.payload} ${'.'.repeat(chance.happens(0.05) ? chance.below(8_000) : chance.below(60))}`;
}

/** What a hostile server says inside a session: what it may, for it opened that session properly, and what no application must ever get. */
export const HOSTILE = { fair: 'hostile, but in its place', foul: 'hostile, and out of its place' };

/** A payload as it was given, or as bytes of that; '' for anything else. */
export function textOf(data: unknown): string {
  if (typeof data === 'string') return data;
  return data instanceof ArrayBuffer || ArrayBuffer.isView(data) ? new TextDecoder().decode(data) : '';
}

/** The tag of a payload: c, r or s and a number; '' for what is none of the simulation's. */
export function tagOf(data: unknown): string {
  return /^[crs]\d+(?= )/.exec(textOf(data))?.[0] ?? '';
}
