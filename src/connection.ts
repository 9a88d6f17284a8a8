import { fromCallback, type EventObject } from 'xstate';

import { connectionMachine } from '../machines/connection.ts';
import type {
  ActorInput,
  AuthorizerInput,
  ConnectionEvent,
  NegotiatorCommand,
  SocketCommand,
} from '../machines/facts.ts';
import type { Settled } from './endpoint.ts';
import { healthLogic } from './health.ts';
import { outboxLogic } from './outbox.ts';
import type { Ports } from './ports.ts';
import { worldOf } from './world.ts';

interface Place {
  system: object;
  input: ActorInput;
}

/** The connection machine with what it works on. Every effect is an actor that lives as long as its state: ending it undoes it. */
export const connectionLogic = connectionMachine.provide({
  actors: {
    socket: fromCallback<SocketCommand, ActorInput>((place) => {
      const ports = portsAt(place);
      const { receive, sendBack } = place;
      receive((command) => {
        if (command.type === 'dial') ports.dial(command, sendBack);
        else ports.close(command.code, command.reason);
      });
      return () => {
        ports.hangUp();
      };
    }),
    turn: fromCallback<EventObject, ActorInput>((place) =>
      portsAt(place).awaitTurn(() => {
        place.sendBack({ type: 'turn.granted' } satisfies ConnectionEvent);
      }),
    ),
    authorizer: fromCallback<EventObject, AuthorizerInput>((place) =>
      portsAt(place).authorize(place.input.credentials, telling(place.sendBack, 'credentials')),
    ),
    locator: fromCallback<EventObject, ActorInput>((place) => portsAt(place).locate(telling(place.sendBack, 'url'))),
    negotiator: fromCallback<NegotiatorCommand, ActorInput>((place) => {
      const ports = portsAt(place);
      place.receive(() => {
        ports.yieldToPlain();
      });
      return ports.negotiate(place.sendBack);
    }),
    greeter: fromCallback<EventObject, ActorInput>((place) =>
      portsAt(place).greet(telling(place.sendBack, 'greeting')),
    ),
    successor: fromCallback<EventObject, ActorInput>((place) => portsAt(place).succeed(place.sendBack)),
    renewer: fromCallback<EventObject, ActorInput>((place) => portsAt(place).renew(place.sendBack)),
    traffic: fromCallback<EventObject, ActorInput>((place) => {
      const ports = portsAt(place);
      ports.attach();
      return () => {
        ports.detach();
      };
    }),
    health: healthLogic,
    outbox: outboxLogic,
  },
});

function portsAt({ system, input }: Place): Ports {
  return worldOf<Ports>(system).portsOf(input.connectionId);
}

function telling(sendBack: (event: ConnectionEvent) => void, subject: 'credentials' | 'url' | 'greeting'): Settled {
  return (failed) => {
    if (failed) sendBack({ type: `${subject}.failed`, failure: failed });
    else sendBack({ type: subject === 'greeting' ? 'greeting.completed' : `${subject}.resolved` });
  };
}
