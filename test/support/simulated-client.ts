import { EnhancedWebSocketService, type ConnectionId, type Connection, type ServiceOptions } from '../../src/index.ts';
import { Chance } from '../../src/testing/chance.ts';
import type { SimulatedNetwork } from '../../src/testing/network.ts';

/** A client on a simulated network, with one connection that asks to be open; and what its application hears. */
export class SimulatedClient {
  readonly service: EnhancedWebSocketService;
  readonly connection: Connection<unknown>;
  readonly heard: string[] = [];
  /** What is reported to `onError`. */
  readonly reported: unknown[] = [];

  constructor({ WebSocket, device, chance }: SimulatedNetwork, options: Partial<ServiceOptions> = {}) {
    const { heard } = this;
    this.service = new EnhancedWebSocketService({
      services: { simulated: { url: 'ws://simulated/', wire: 'required', ...options } },
      WebSocket,
      clock: device.clock,
      signals: device.signals,
      random: new Chance(chance.below(2 ** 31)).draw,
      onError: (error) => this.reported.push(error),
    });
    this.service.on('opened', ({ isResumed }) => heard.push(isResumed ? 'resumed' : 'opened'));
    this.service.on('discontinuity', ({ why }) => heard.push(`lost: ${why}`));
    this.service.connect({ serviceType: 'simulated', terminalId: 't' }).catch(() => undefined);
    this.connection = this.service.connection('simulated:t' as ConnectionId);
    this.connection.subscribe((message) => heard.push(String(message)));
  }
}
