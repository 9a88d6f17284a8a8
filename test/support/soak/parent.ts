/** What the process that started this one asks of it, by name, and what is answered. */
export type Orders = Record<string, () => unknown>;

/** Answers what the parent asks, one after the other; `end` is the last thing that it asks. Without the parent the process ends. */
export function obey(orders: Orders): void {
  const onGone = (): void => process.exit();
  process.on('disconnect', onGone);
  process.on('message', (name: string) => {
    void answer(name).then((answered) => {
      process.send?.({ answered }, undefined, undefined, () => {
        if (name !== 'end') return;
        // from here on nothing but what was left behind holds the process
        process.off('disconnect', onGone);
        process.disconnect();
      });
    });
  });

  async function answer(name: string): Promise<unknown> {
    return (await orders[name]?.()) ?? null;
  }
}

/** What holds the process, beside its output and its parent. */
export function resources(): string[] {
  return process.getActiveResourcesInfo().filter((name) => name !== 'Immediate' && name !== 'PipeWrap');
}

/** How many listeners the process itself has, beside those for its parent. */
export function listeners(): number {
  const names = process.eventNames().filter((name) => name !== 'message' && name !== 'disconnect');
  return names.reduce((sum, name) => sum + process.listenerCount(name), 0);
}

/** Bytes that are in use once nothing is left to collect. */
export function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
