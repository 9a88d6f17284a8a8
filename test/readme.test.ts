import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DEFAULT_RULES } from '../src/core/recovery-table.ts';
import type { Rule } from '../src/core/rules.ts';
import { ERRORS, type ErrorCode } from '../src/errors.ts';
import type { RecoveryRule } from '../src/protocol/recovery-rule.ts';
import { optionsRule } from '../src/schema.ts';
import { settingsOf } from '../src/server/options.ts';
import { serverRule } from '../src/server/schema.ts';
import type { HoldfastServerOptions } from '../src/server/server.ts';
import { EnhancedWebSocketService } from '../src/service.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const section = (name: string): string => {
  const [, after = ''] = readme.split(`<!-- ${name}:start -->`);
  const [inside = ''] = after.split(`<!-- ${name}:end -->`);
  return inside.trim();
};
const problemsOf = (rule: Rule, value: unknown): string => rule(value, 'options').join('\n');

const serverTables = readme.slice(readme.indexOf('## The server'), readme.indexOf('## The states'));
const SERVER_OPTIONS: Record<keyof HoldfastServerOptions, true> = {
  authenticate: true,
  onSession: true,
  onPlain: true,
  onError: true,
  limits: true,
  ping: true,
  ttlMs: true,
  store: true,
  node: true,
  compression: true,
  origins: true,
  clock: true,
  random: true,
};

describe('the README', () => {
  test('has a row for every error code, with what the code says of itself', () => {
    const rows = Object.entries(ERRORS).map(
      ([code, [category, severity, says]]) =>
        `| \`${code}\` | ${category} | ${severity} | ${strategyOf(code as ErrorCode)} | ${says} |`,
    );
    expect(section('errors').split('\n').slice(2)).toEqual(rows);
  });

  test('shows the policy table as it is', () => {
    expect(section('rules').split('\n').slice(2)).toEqual(DEFAULT_RULES.map(rowOf));
  });

  test('shows the quick start as the example that runs', () => {
    const example = readFileSync(new URL('../examples/quickstart/main.ts', import.meta.url), 'utf8').trim();
    expect(section('quickstart')).toBe(`\`\`\`ts\n${example}\n\`\`\``);
  });

  test('shows testing as the example that runs', () => {
    const example = readFileSync(new URL('../examples/testing/main.ts', import.meta.url), 'utf8').trim();
    expect(section('testing')).toBe(`\`\`\`ts\n${example}\n\`\`\``);
  });

  test('shows the audit log as the example that runs', () => {
    const example = readFileSync(new URL('../examples/audit/main.ts', import.meta.url), 'utf8').trim();
    expect(section('audit')).toBe(`\`\`\`ts\n${example}\n\`\`\``);
  });

  test('calls only methods that exist (original fault 48)', () => {
    const called = [...readme.matchAll(/\b(?:service|enhancedService)\.(\w+)\(/g)].map(([, name = '']) => name);
    expect(called.length).toBeGreaterThan(15);
    for (const name of called) expect(EnhancedWebSocketService.prototype).toHaveProperty(name);
  });

  test('makes no claim in figures without the command that measures it (original fault 51)', () => {
    const prose = readme.replaceAll(/```[^]*?```/g, '').split(/\n\n/);
    const figures = /\d\s?(%|×|µs)|\d times (as|faster|less|more)|\b(half|twice) as (fast|much)/;
    expect(figures.test('uptime of 99.9 %, with 50 % less overhead')).toBe(true);
    for (const paragraph of prose) if (figures.test(paragraph)) expect(paragraph).toMatch(/npm run \w+/);
  });

  test('names only options that exist', () => {
    const tables = readme.slice(readme.indexOf('## The options'), readme.indexOf('## The errors'));
    const [top = '', perService = ''] = tables.split('Each service:');
    const service = nest(named(perService).filter((name) => name !== 'url'));
    const options = { ...nest(named(top)), services: { any: { url: 'ws://127.0.0.1', ...service } } };
    expect(named(top).length).toBeGreaterThan(8);
    expect(named(perService).length).toBeGreaterThan(15);
    expect(problemsOf(optionsRule, options)).not.toMatch(/unknown option/);
    expect(problemsOf(optionsRule, { ...options, misspelt: 1 })).toMatch(/misspelt: unknown option/);
  });

  test('has a row for every option of a server, and for no other', () => {
    const [options = ''] = serverTables.split('| limit |');
    const nested = nest(named(options));
    expect(Object.keys(nested).toSorted()).toEqual(Object.keys(SERVER_OPTIONS).toSorted());
    expect(problemsOf(serverRule, nested)).not.toMatch(/unknown option/);
  });

  test('says what the limits of a server are by default', () => {
    const [, after = ''] = serverTables.split('| limit |');
    const [limits = ''] = after.split('| event of');
    const rows = [...limits.matchAll(/^\| (`[^|]+) \| ([^|]+) \|/gm)].flatMap(([, names = '', values = '']) => {
      const defaults = values.split(', ').map((text) => Number(text.replaceAll(/[` ]/g, '')));
      return named(`| ${names} |`).map((name, index) => [name, defaults[index]]);
    });
    expect(Object.fromEntries(rows)).toEqual(settingsOf({ authenticate: () => null }).limits);
  });
});

// what is done by default; for a socket's end it depends on how it ended
function strategyOf(code: ErrorCode): string {
  if (code === 'HANDSHAKE_FAILED' || code === 'CLOSED_BY_PEER') return 'by status or close code';
  const rule = DEFAULT_RULES.find(({ failure = [] }) => [failure].flat().includes(code));
  return rule ? `\`${rule.strategy}\`` : '';
}

function rowOf({ failure, codes, status, wire, category, strategy, retryAfterMs }: RecoveryRule): string {
  const conditions = [
    failure && [failure].flat().map((code) => `\`${code}\``),
    codes !== undefined && `close code ${band(codes)}`,
    status !== undefined && `status ${band(status)}`,
    wire && `on ${wire}`,
  ];
  const when = conditions.flat().filter(Boolean).join(', ');
  return `| ${when} | ${category} | \`${strategy}\` | ${retryAfterMs ? `${retryAfterMs} ms` : ''} |`;
}

function band(codes: NonNullable<RecoveryRule['codes']>): string {
  return [codes].flat().join(' to ');
}

/** What stands in the first cells of a table, as code. */
function named(table: string): string[] {
  return [...table.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([\w.]+)`/g)].map(([, name = '']) => name),
  );
}

// `retry.baseMs` as { retry: { baseMs: null } }; only the names matter
function nest(names: readonly string[]): Record<string, unknown> {
  const nested: Record<string, Record<string, unknown> | null> = {};
  for (const name of names) {
    const [outer = '', inner] = name.split('.');
    if (inner === undefined) nested[outer] ??= null;
    else nested[outer] = { ...nested[outer], [inner]: null };
  }
  return nested;
}
