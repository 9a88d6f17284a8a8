import type { Turn } from '../turns.ts';

/** What a station measures by, and how it lets others run. */
export interface Instruments {
  /** A time that all ends have in common, in µs. */
  micros: () => number;
  /** Counts the time of the processor from now on. */
  begin: () => void | Promise<void>;
  /** In µs, since it began. */
  cpuMicros: () => number | Promise<number>;
  turn: Turn;
}

/** Those of a process of Node. */
export function processInstruments(): Instruments {
  let cpu = process.cpuUsage();
  return {
    micros,
    begin: () => {
      cpu = process.cpuUsage();
    },
    cpuMicros: () => {
      const { user, system } = process.cpuUsage(cpu);
      return user + system;
    },
    turn: setImmediate,
  };
}

/** A time that all processes of a machine have in common. */
export function micros(): number {
  return Number(process.hrtime.bigint()) / 1_000;
}

/** What a process takes when nothing is left to collect, in bytes. */
export function memory(): { heap: number; rss: number } {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed: heap, rss } = process.memoryUsage();
  return { heap, rss };
}
