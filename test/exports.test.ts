import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as audit from '../src/audit/index.ts';
import * as auditNode from '../src/audit/node/index.ts';
import * as machines from '../machines/index.ts';
import * as holdfast from '../src/index.ts';
import * as metrics from '../src/metrics/index.ts';
import * as server from '../src/server/index.ts';
import * as adapter from '../src/server/ws.ts';
import * as testing from '../src/testing/index.ts';

/** The public names of each entry point, in alphabetical order; a change here is a change of the API. */
const entries = {
  '.': {
    module: holdfast,
    names: [
      'AuditError',
      'ConfigurationError',
      'ConnectionError',
      'DEFAULT_RULES',
      'DIAGNOSTIC_STEPS',
      'ERRORS',
      'EnhancedWebSocketService',
      'FaultError',
      'HoldfastError',
      'InboundError',
      'MAX_RETRY_AFTER_MS',
      'MessageError',
      'STRATEGIES',
      'USER_MESSAGES',
      'bytesProfile',
      'defineProfile',
      'describeError',
      'jsonProfile',
      'plainProfile',
      'platformSignals',
      'silentSignals',
      'systemClock',
      'textProfile',
    ],
  },
  './server': {
    module: server,
    names: [
      'CloseCode',
      'ConfigurationError',
      'HoldfastError',
      'HoldfastServer',
      'MemoryStore',
      'MessageError',
      'WireClose',
      'createHoldfastServer',
    ],
  },
  './server/ws': { module: adapter, names: ['attachWebSocketServer', 'serveWebSockets'] },
  './machines': {
    module: machines,
    names: [
      'CONNECTION_STATES',
      'DEFAULT_POLICY',
      'connectionMachine',
      'groupMachine',
      'healthMachine',
      'outboxMachine',
      'sessionMachine',
      'stateOf',
      'supervisorMachine',
    ],
  },
  './metrics': { module: metrics, names: ['createMetrics', 'instrument'] },
  './audit': {
    module: audit,
    names: [
      'AuditError',
      'ConfigurationError',
      'FaultError',
      'HoldfastError',
      'REDACTED',
      'callbackSink',
      'copyAsTest',
      'createAuditLog',
      'createSigner',
      'createVerifier',
      'explain',
      'httpSink',
      'indexedDbSink',
      'linesOf',
      'memorySink',
      'readIndexedDb',
      'rehearse',
      'replay',
      'verify',
    ],
  },
  './testing': {
    module: testing,
    names: [
      'Chance',
      'ClientSocket',
      'FAULTS',
      'History',
      'HostileServer',
      'Line',
      'Pipe',
      'PlainServer',
      'SimulatedClock',
      'SimulatedDevice',
      'SimulatedNetwork',
      'SimulatedServer',
      'SimulatedStore',
      'StoreAccess',
      'simulate',
    ],
  },
  './audit/node': { module: auditNode, names: ['fileSink', 'readAuditFile'] },
};

describe('the entry points', () => {
  test.each(Object.entries(entries))('%s exports exactly its public names', (_entry, { module, names }) => {
    expect(Object.keys(module).toSorted()).toEqual(names);
  });

  test('are the ones that package.json lists', () => {
    const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    const { exports } = JSON.parse(text) as { exports: Record<string, unknown> };
    expect(Object.keys(exports)).toEqual([...Object.keys(entries), './package.json']);
  });
});
