import { fromCallback, type EventObject } from 'xstate';

import type { ActorInput } from '../machines/facts.ts';
import { healthMachine } from '../machines/health.ts';
import type { Ports } from './ports.ts';
import { worldOf } from './world.ts';

/** The health machine with its probe: a real ping on the connection's socket. */
export const healthLogic = healthMachine.provide({
  actors: {
    probe: fromCallback<EventObject, ActorInput>(({ system, input, sendBack }) =>
      worldOf<Ports>(system)
        .portsOf(input.connectionId)
        .probe(() => {
          sendBack({ type: 'link.heard' });
        }),
    ),
  },
});
