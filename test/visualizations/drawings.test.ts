import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as exported from '../../machines/index.ts';
import { drawingsOf, drifted, machinesOf } from '../../visualizations/drawings.ts';

const root = resolve(import.meta.dirname, '../..');
const machines = machinesOf(exported);

describe('the committed drawings', () => {
  test('are what the machines say (otherwise: npm run draw)', () => {
    expect(drifted(drawingsOf(machines, readCommitted), readCommitted).map(({ path }) => path)).toEqual([]);
  });

  test('are there for every machine, and for no other', () => {
    const drawn = readdirSync(join(root, 'visualizations')).filter((name) => /\.(md|json)$/.test(name));
    const expected = machines.flatMap(({ id }) => [`${id}.json`, `${id}.md`]);
    const others = ['README.md', 'coverage.md', 'mutants.md', 'simulation.md', 'simulation-wire.md'];
    expect(drawn.filter((name) => !others.includes(name)).toSorted()).toEqual(expected.toSorted());
  });
});

describe('drawing', () => {
  test('takes every machine that is exported, and nothing else', () => {
    const names = Object.keys(exported).filter((name) => name.endsWith('Machine'));
    expect(names.map((name) => name.replace(/Machine$/, '')).toSorted()).toEqual(machines.map(({ id }) => id));
  });

  test('gives the same bytes each time', () => {
    expect(drawingsOf(machines, () => null)).toEqual(drawingsOf(machines, () => null));
  });

  test('leaves a project without README without one', () => {
    expect(drawingsOf(machines, () => null).map(({ path }) => path)).not.toContain('README.md');
  });

  test('keeps all of the README but what is between the markers', () => {
    const [before, after] = ['# T\n\n<!-- connection-machine:start -->\n', '<!-- connection-machine:end -->\n\nEnd.\n'];
    const readme = drawReadme(`${before}old${after}`);
    expect(readme.startsWith(`${before}\n\`\`\`mermaid\nstateDiagram-v2\n`)).toBe(true);
    expect(readme.endsWith(`\n\n${after}`)).toBe(true);
    expect(readme).not.toContain('old');
    expect(drawReadme(readme)).toBe(readme);
  });

  test('draws the chart between the markers of a machine without an overview', () => {
    const readme = drawReadme('<!-- health-machine:start --><!-- health-machine:end -->');
    expect(readme).toContain('doubted');
  });

  test.each(['No markers.', '<!-- connection-machine:start --> only', '<!-- connection-machine:end --> only'])(
    'leaves a README without both markers alone: %s',
    (text) => {
      expect(drawReadme(text)).toBe(text);
    },
  );
});

describe('the check', () => {
  const drawings = [
    { path: 'a.md', text: 'a' },
    { path: 'b.md', text: 'b' },
  ];

  test('names what has drifted and what is missing', () => {
    expect(drifted(drawings, (path) => (path === 'a.md' ? 'old' : null))).toEqual(drawings);
  });

  test('passes what is as drawn', () => {
    expect(drifted(drawings, (path) => path.charAt(0))).toEqual([]);
  });
});

function readCommitted(path: string): string | null {
  const file = join(root, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

function drawReadme(text: string): string {
  const drawings = drawingsOf(machines, (path) => (path === 'README.md' ? text : null));
  return drawings.find(({ path }) => path === 'README.md')?.text ?? '';
}
