import { onTestFinished, vi } from 'vitest';

/** Until the test is over, modules are loaded as by a platform whose only SHA-256 is that of WebCrypto. */
export function withWebDigest(getBuiltinModule?: () => unknown): void {
  const { process } = globalThis as unknown as { process: { getBuiltinModule: unknown } };
  const { getBuiltinModule: own } = process;
  process.getBuiltinModule = getBuiltinModule;
  vi.resetModules();
  onTestFinished(() => {
    process.getBuiltinModule = own;
    vi.resetModules();
  });
}
