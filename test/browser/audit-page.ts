/** What the pages of the audit tests have as globals. */
import { readIndexedDb } from '../../src/audit/sinks/database.ts';
import { indexedDbSink } from '../../src/audit/sinks/indexed-db.ts';
import type { AuditSink } from '../../src/audit/sink.ts';

export interface AuditPage {
  indexedDbSink: typeof indexedDbSink;
  readIndexedDb: typeof readIndexedDb;
  sinks: Map<number, AuditSink>;
}

Object.assign(globalThis, { indexedDbSink, readIndexedDb, sinks: new Map() } satisfies AuditPage);
