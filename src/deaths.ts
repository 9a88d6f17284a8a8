import { FaultError } from './errors.ts';
import type { Emit } from './events.ts';
import type { Member } from './member.ts';
import type { World } from './world.ts';

/** Who has to know of a death. */
export interface Bereaved {
  member: (connectionId: string) => Member | undefined;
  fault: (error: FaultError) => void;
  emit: Emit;
}

/** The root itself died: nothing is left that could go on. */
export function buryAll(members: Iterable<Member>, cause: unknown): void {
  for (const { ports, connection } of members) {
    ports.hangUp();
    connection.died(cause);
    connection.buried();
  }
}

/**
 * What follows when the actor of a connection dies. Its group is in the middle of a turn then: listeners are told when that is over, and of the bug
 * last, for whoever hears of it may connect at once.
 */
export function deathsOf({
  member,
  fault,
  emit,
}: Bereaved): Pick<World, 'died' | 'restarted' | 'buried' | 'escalated'> {
  return {
    died: (connectionId, cause) => {
      const dead = member(connectionId);
      dead?.ports.hangUp();
      dead?.connection.died(cause);
    },
    restarted: (connectionId, cause) => {
      queueMicrotask(() => member(connectionId)?.connection.restarted());
      fault(new FaultError('INTERNAL_FAULT', { cause, connectionId }));
    },
    buried: (connectionId, cause) => {
      queueMicrotask(() => member(connectionId)?.connection.buried());
      fault(new FaultError('INTERNAL_FAULT', { cause, connectionId }));
    },
    escalated: (connectionId, cause, { most: restarts, withinMs }) => {
      queueMicrotask(() => {
        const { serviceType = '' } = member(connectionId)?.connection ?? {};
        const source = { connectionId, serviceType };
        emit('escalated', {
          ...source,
          restarts,
          withinMs,
          error: new FaultError('INTERNAL_FAULT', { ...source, cause }),
        });
      });
    },
  };
}
