import { build, type BuildOptions } from 'esbuild';
import { fileURLToPath } from 'node:url';

// it knows no paths into the source: the package is bundled as it is built, and as it is installed
const TSCONFIG = fileURLToPath(new URL('../tsconfig.base.json', import.meta.url));

/** What a browser loads for an entry. */
export async function bundledForBrowser(
  entry: Pick<BuildOptions, 'entryPoints' | 'stdin' | 'external'>,
): Promise<Uint8Array> {
  const { outputFiles } = await build({
    ...entry,
    tsconfig: TSCONFIG,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0]?.contents ?? new Uint8Array();
}
