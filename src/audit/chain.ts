import { canonicalJson } from './canonical.ts';
import { AUDIT_VERSION, type AuditRecord } from './record.ts';

/** A record in its place: what a line of a log holds. */
export interface AuditEntry {
  /** From 0. */
  seq: number;
  /** The hash of the entry before; 64 zeros for the first. */
  prev: string;
  /** The SHA-256 of the canonical JSON of the other three. */
  hash: string;
  record: AuditRecord;
}

/** How far a chain goes. */
export interface Head {
  /** The number of its last entry; -1 while it has none. */
  seq: number;
  hash: string;
}

/** What a line is, or what is wrong with it. */
export type ReadLine =
  | { entry: AuditEntry; hashed: string; problem: null }
  /** `future`: of a later version. */
  | { entry: null; problem: 'malformed' | 'future'; why: string };

/** Where a chain begins. */
export const START: Head = { seq: -1, hash: '0'.repeat(64) };

const HASH_END = '{"hash":"'.length + 64;
const PREV_START = HASH_END + '","prev":"'.length;
const LINE = /^\{"hash":"[\da-f]{64}","prev":"[\da-f]{64}","record":\{/;

/** What of an entry is hashed, the record being canonical JSON already. */
export function hashedText({ seq, hash }: Head, record: string): string {
  return `{"prev":"${hash}","record":${record},"seq":${seq + 1}}`;
}

/** The line of an entry. */
export function lineOf(hashed: string, hash: string): string {
  return `{"hash":"${hash}",${hashed.slice(1)}`;
}

/** An entry as its line. */
export function lineOfEntry({ hash, ...hashed }: AuditEntry): string {
  return lineOf(canonicalJson(hashed), hash);
}

/** Reads a line, and does not say whether its hash is true. */
export function readLine(line: string): ReadLine {
  if (!LINE.test(line)) return malformed('it is not an entry of an audit log');
  let entry: AuditEntry;
  try {
    entry = JSON.parse(line) as AuditEntry;
  } catch {
    return malformed('it is not JSON');
  }
  const { hash, prev, seq, record } = entry;
  // JSON takes a name that comes twice, and the last of its values
  const isSaidOnce = hash === line.slice(HASH_END - 64, HASH_END) && prev === line.slice(PREV_START, PREV_START + 64);
  if (!isSaidOnce || Object(record) !== record) return malformed('it says something twice');
  if (!Number.isSafeInteger(seq) || seq < 0) return malformed('its number is none');
  if (!Number.isSafeInteger(record.v)) return malformed('its record says no version');
  if (record.v > AUDIT_VERSION) {
    return {
      entry: null,
      problem: 'future',
      why: `its record is of version ${record.v}; this reads up to ${AUDIT_VERSION}`,
    };
  }
  if (typeof record.kind !== 'string') return malformed('its record says no kind');
  return { entry, hashed: `{${line.slice(HASH_END + 2)}`, problem: null };
}

function malformed(why: string): ReadLine {
  return { entry: null, problem: 'malformed', why };
}
