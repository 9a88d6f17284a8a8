import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory for one test. */
export interface Directory {
  path: string;
  /** How many of its files this process holds open; 0 where the platform does not say. */
  open: () => number;
  remove: () => void;
}

export function makeDirectory(): Directory {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-'));
  return {
    path,
    open: () => openFiles().filter((file) => file.startsWith(path)).length,
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

function openFiles(): string[] {
  try {
    return readdirSync('/proc/self/fd').flatMap((handle) => linkOf(`/proc/self/fd/${handle}`));
  } catch {
    return [];
  }
}

function linkOf(handle: string): string[] {
  try {
    return [readlinkSync(handle)];
  } catch {
    // closed since
    return [];
  }
}
