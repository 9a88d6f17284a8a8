import { readdirSync, readFileSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  forbiddenImports,
  importRings,
  misnamed,
  misplacedProvides,
  oversized,
  parseModule,
  untested,
} from './support/import-graph.ts';
import type { ImportRule, Module } from './support/import-graph.ts';

const anything = [/^/];
const errors = /^src\/errors\.ts$/;
const protocol = /^src\/protocol\//;
const closeCodes = /^src\/protocol\/close-codes\.ts$/;
const retryAfter = /^src\/core\/retry-after\.ts$/;
const core = /^src\/core\//;
const machines = /^machines\//;
const transport = /^src\/transport\//;
const runtime = /^src\/[^/]+\.ts$/;
const clock = /^src\/transport\/clock\.ts$/;
const audit = /^src\/audit\/(?!node\/)/;
const server = /^src\/server\//;
const publicNames = /^src\/index\.ts$/;
const serverNames = /^src\/server\/index\.ts$/;
const auditNames = /^src\/audit\/index\.ts$/;

/** Who may import whom: downwards only. The first room that fits a file is its own. */
const table: readonly ImportRule[] = [
  { room: errors, files: [], packages: [] },
  { room: protocol, files: [errors, protocol], packages: ['zod', 'pako'] },
  { room: core, files: [errors, core], typesOf: [protocol], packages: [] },
  { room: machines, files: [machines, core], packages: ['xstate'] },
  { room: transport, files: [errors, closeCodes, retryAfter, transport], packages: [] },
  { room: runtime, files: [errors, protocol, core, machines, transport, runtime], packages: ['xstate', 'zod'] },
  { room: /^src\/audit\/node\//, files: [errors, core, clock, audit, /^src\/audit\/node\//], packages: ['node:'] },
  { room: audit, files: [errors, core, machines, clock, audit], packages: ['xstate'] },
  { room: server, files: [errors, protocol, core, machines, server], packages: ['xstate', 'zod', 'ws', 'node:'] },
  { room: /^src\/websocket\//, files: [publicNames, /^src\/websocket\//], packages: [] },
  { room: /^src\/react\//, files: [publicNames, /^src\/react\//], packages: ['react'] },
  { room: /^src\/inspector\//, files: [publicNames, /^src\/inspector\//], packages: ['xstate', '@statelyai/inspect'] },
  { room: /^src\/metrics\//, files: [publicNames, /^src\/metrics\//], packages: ['@opentelemetry/api'] },
  {
    room: /^src\/testing\//,
    // what is left to chance comes from one generator, and options are held to rules in one way
    files: [publicNames, serverNames, auditNames, /^src\/core\/(chance|rules)\.ts$/, /^src\/testing\//],
    packages: [],
  },
  {
    room: /^src\/cli\//,
    files: [/^src\/([^/]+\/)*index\.ts$/, /^src\/cli\//, /^package\.json$/],
    packages: ['node:', 'ws'],
  },
  { room: /^visualizations\//, files: [machines, /^visualizations\//], packages: 'any' },
  { room: /^examples\//, files: [/^examples\//], packages: 'any' },
  { room: /^(test|bench|scripts)\//, files: anything, packages: 'any' },
];

describe('the source tree', () => {
  const modules = readTree(['machines', 'src', 'test', 'visualizations', 'examples', 'scripts', 'bench']);
  const paths = new Set(modules.map(({ path }) => path));
  const shipped = modules.filter(({ path }) => /^(machines|src)\//.test(path));

  test('imports downwards only', () => {
    expect(forbiddenImports(modules, table)).toEqual([]);
  });

  test('has no ring of imports', () => {
    expect(importRings(shipped)).toEqual([]);
  });

  test('has no file over 400 lines', () => {
    expect(oversized(modules, 400)).toEqual([]);
  });

  test('has a test of the same name for every file that does something', () => {
    expect(untested(shipped, paths)).toEqual([]);
  });

  test('provides a machine only in the file of its name', () => {
    expect(misplacedProvides(modules.filter(({ path }) => !path.startsWith('test/')))).toEqual([]);
  });

  test('has kebab-case names', () => {
    expect(misnamed(paths)).toEqual([]);
  });
});

describe('the checker', () => {
  test('tells a forbidden import, a package and a type import as what they are', () => {
    const tree = parse({
      'src/errors.ts': `import { z } from 'zod/mini';`,
      'src/core/queue.ts': `import type { Frame } from '../protocol/frames.ts';\nimport { a } from '../protocol/codec.ts';`,
      'src/protocol/codec.ts': `type A = import('../core/queue.ts').A;`,
      'machines/outbox.ts': `import { assign } from 'xstate';\nimport { b } from '../src/core/batch.ts';`,
      'src/transport/memory.ts': `export { c } from '../protocol/close-codes.ts';\nexport * from '../service.ts';`,
      'src/service.ts': `const lazy = await import('./react/index.ts');`,
      'src/cli/main.ts': `import 'node:fs';\nimport '../server/index.ts';\nimport '../server/session.ts';`,
    });
    expect(forbiddenImports(tree, table)).toEqual([
      'src/errors.ts imports zod/mini',
      'src/core/queue.ts imports src/protocol/codec.ts',
      'src/protocol/codec.ts imports types of src/core/queue.ts',
      'src/transport/memory.ts imports src/service.ts',
      'src/service.ts imports src/react/index.ts',
      'src/cli/main.ts imports src/server/session.ts',
    ]);
  });

  test('refuses a file of a room that the table does not know', () => {
    const tree = parse({ 'src/utils/misc.ts': 'export const a = 1;' });
    expect(forbiddenImports(tree, table)).toEqual(['src/utils/misc.ts is in no room of the import table']);
  });

  test('finds a ring, through type imports too', () => {
    const tree = parse({
      'src/a.ts': `import './b.ts';`,
      'src/b.ts': `import type { C } from './c.ts';\nimport './d.ts';`,
      'src/c.ts': `import './b.ts';`,
      'src/d.ts': '',
    });
    expect(importRings(tree)).toEqual(['src/b.ts → src/c.ts → src/b.ts']);
  });

  test('counts lines as an editor does', () => {
    const tree = parse({ 'src/short.ts': '1\n2\n', 'src/long.ts': '1\n2\n3\n' });
    expect(oversized(tree, 2)).toEqual(['src/long.ts has 3 lines']);
  });

  test('misses the test of a file with code, and of no other', () => {
    const tree = parse({
      'src/index.ts': `export * from './service.ts';`,
      'src/service.ts': 'export const a = 1;',
      'src/core/queue.ts': 'export class Queue {}',
      'src/transport/transport.ts': `import type { A } from './a.ts';\nexport interface Port { a: A }\nexport type { A };`,
      'machines/outbox.ts': 'export const a = 1;',
    });
    expect(untested(tree, new Set(['test/service.test.ts', 'test/core/queue.test.ts']))).toEqual([
      'machines/outbox.ts has no test/machines/outbox.test.ts',
    ]);
  });

  test('finds a machine that is provided for elsewhere', () => {
    const own = `import { healthMachine } from '../machines/health.ts';\nhealthMachine.provide({}).provide({});`;
    const tree = parse({
      'src/health.ts': own,
      'src/service.ts': own,
      'src/outbox.ts': 'unknown.provide({});',
      'machines/health.ts': 'export const idle = machine().provide({});',
    });
    expect(misplacedProvides(tree)).toEqual([
      'src/service.ts provides machines/health.ts',
      'src/service.ts provides machines/health.ts',
      'src/outbox.ts provides a machine it does not import',
      'machines/health.ts provides a machine it does not import',
    ]);
  });

  test('finds names that are not kebab-case', () => {
    expect(misnamed(['src/close-codes.ts', 'src/closeCodes.ts', 'src/React/index.ts', 'test/a_b.test.ts'])).toEqual([
      'src/closeCodes.ts',
      'src/React/index.ts',
      'test/a_b.test.ts',
    ]);
  });
});

function parse(tree: Record<string, string>): Module[] {
  return Object.entries(tree).map(([path, text]) => parseModule({ path, text }));
}

function readTree(folders: readonly string[]): Module[] {
  const root = resolve(import.meta.dirname, '..');
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && folders.includes(entry.name))
    .flatMap((folder) => readdirSync(resolve(root, folder.name), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => resolve(entry.parentPath, entry.name))
    .map((file) => parseModule({ path: relative(root, file).split(sep).join('/'), text: readFileSync(file, 'utf8') }));
}
