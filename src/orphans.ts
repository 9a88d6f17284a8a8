import type { AnyActorRef } from 'xstate';

/**
 * Ends the children of a machine that died, and with them what they hold: XState leaves them running, and they would act on what is not theirs
 * any more.
 */
export function endOrphans(children: Readonly<Record<string, AnyActorRef | undefined>>): void {
  for (const child of Object.values(children)) {
    if (!child) continue;
    const snapshot = child.getSnapshot() as { status: string; children?: typeof children };
    // one that died before left children of its own
    if (snapshot.status === 'error') endOrphans(snapshot.children ?? {});
    // source: XState's own way to stop a child, which is an event as any other
    else if (snapshot.status === 'active') child.send({ type: 'xstate.stop' });
  }
}
