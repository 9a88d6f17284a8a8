// What users' bundles grow by: each entry point of the built package as a bundler for browsers would take it in.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import type { Metafile } from 'esbuild';

interface Budget {
  name: string;
  /** The program whose bundle is measured. */
  code: string;
  /** Packages that are left out of the bundle. */
  external: string[];
  /** In bytes, after brotli; a kB here is 1,000 bytes. */
  maxBytes: number;
  maxGzipBytes: number;
}

const root = dirname(import.meta.dirname);

/** Minifies the program with everything it needs at once; chunks that it loads on demand do not count. */
async function bundle({ code, external }: Budget): Promise<Buffer[]> {
  const { metafile, outputFiles } = await build({
    stdin: { contents: code, resolveDir: root },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['module', 'production'],
    define: { 'process.env.NODE_ENV': '"production"' },
    external: external.flatMap((name) => [name, `${name}/*`]),
    splitting: true,
    outdir: 'out',
    write: false,
    metafile: true,
    // the repository's own `paths` lead to the source; users get dist
    tsconfigRaw: '{}',
  });
  const wanted = staticChunks(metafile);
  return outputFiles
    .filter(({ path }) => wanted.some((chunk) => path.endsWith(chunk)))
    .map(({ contents }) => Buffer.from(contents));
}

function staticChunks({ outputs }: Metafile): string[] {
  const wanted = new Set(Object.keys(outputs).filter((path) => path.endsWith('/stdin.js')));
  for (const path of wanted) {
    for (const { path: next, kind, external } of outputs[path]?.imports ?? []) {
      if (kind === 'import-statement' && !external) wanted.add(next);
    }
  }
  return [...wanted];
}

function total(files: readonly Buffer[], size: (file: Buffer) => number): number {
  return files.reduce((sum, file) => sum + size(file), 0);
}

if (!existsSync(`${root}/dist/index.js`)) {
  execFileSync('npm', ['run', 'build'], { cwd: root, stdio: 'inherit' });
}

const budgets = JSON.parse(readFileSync(`${import.meta.dirname}/size-budget.json`, 'utf8')) as Budget[];
const rows = await Promise.all(
  budgets.map(async (budget) => {
    const files = await bundle(budget);
    const gzip = total(files, (file) => gzipSync(file, { level: 9 }).length);
    const brotli = total(files, (file) => brotliCompressSync(file).length);
    return {
      entry: budget.name,
      min: total(files, (file) => file.length),
      gzip,
      brotli,
      'budget gzip': budget.maxGzipBytes,
      'budget brotli': budget.maxBytes,
      ok: brotli <= budget.maxBytes && gzip <= budget.maxGzipBytes,
    };
  }),
);

console.table(rows);
if (rows.some(({ ok }) => !ok)) process.exitCode = 1;
