/** A process of its own: clients of any library. */
import { candidateNamed } from './candidates.ts';
import { clientOrders } from './client-orders.ts';
import { memory, micros, processInstruments } from './instruments.ts';
import { obey } from './process.ts';
import { Station } from './station.ts';

obey(clientOrders({ station: new Station(processInstruments()), find: candidateNamed, micros, memory }));
