import type { AnyActorRef } from 'xstate';

/** An effect as XState tells it: the same of a machine that is stepped and of an actor that runs. */
export interface Effect {
  type: string;
  params?: unknown;
}

/** An effect in one line, with all that it was given. Actors go by their ids; one that was given none is the machine itself. */
export function effectInFull({ type, params }: Effect): string {
  return params === undefined ? type : `${type} ${JSON.stringify(params, named)}`;
}

// actors have become JSON by the time that they come here
function named(_key: string, value: unknown): unknown {
  const { id } = isActor(value) ? value : { id: null };
  if (id === null) return value;
  return id.startsWith('x:') ? 'itself' : id;
}

function isActor(value: unknown): value is Pick<AnyActorRef, 'id'> {
  return typeof value === 'object' && value !== null && 'xstate$$type' in value;
}
