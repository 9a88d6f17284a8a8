import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    machines: 'machines/index.ts',
    metrics: 'src/metrics/index.ts',
    audit: 'src/audit/index.ts',
    testing: 'src/testing/index.ts',
    'audit-node': 'src/audit/node/index.ts',
    server: 'src/server/index.ts',
    'server-ws': 'src/server/ws.ts',
    cli: 'src/cli/main.ts',
  },
  format: ['esm', 'cjs'],
  target: 'es2022',
  // what only the library calls drags the types of its insides along
  dts: { compilerOptions: { stripInternal: true } },
  sourcemap: true,
  clean: true,
  // a class that two entry points share must exist once, or `instanceof` fails between them
  splitting: true,
});
