import { fromCallback, type EventObject } from 'xstate';

import type { ActorInput } from '../machines/facts.ts';
import { healthMachine, type HealthEvent } from '../machines/health.ts';
import type { Ports } from './ports.ts';
import { worldOf } from './world.ts';

/** The health machine with its probe, a real ping on the connection's socket, and its gauge, which measures that. */
export const healthLogic = healthMachine.provide({
  actors: {
    probe: fromCallback<EventObject, ActorInput>((place) => {
      const ports = portsAt(place);
      const extraMs = ports.burdenMs;
      const end = ports.probe(() => {
        place.sendBack({ type: 'link.heard' } satisfies HealthEvent);
      });
      if (extraMs > 0) place.sendBack({ type: 'link.laden', extraMs } satisfies HealthEvent);
      return end;
    }),
    gauge: fromCallback<{ type: 'missed' }, ActorInput>((place) => {
      const ports = portsAt(place);
      place.receive(() => {
        ports.missed();
      });
      return ports.gauge(place.sendBack);
    }),
  },
});

function portsAt({ system, input }: { system: object; input: ActorInput }): Ports {
  return worldOf<Ports>(system).portsOf(input.connectionId);
}
