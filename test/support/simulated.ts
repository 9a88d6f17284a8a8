import { Chance } from '../../src/testing/chance.ts';
import type { ClientSocket } from '../../src/testing/client-socket.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { SimulatedDevice } from '../../src/testing/device.ts';
import { History } from '../../src/testing/history.ts';
import type { Host, Line } from '../../src/testing/line.ts';
import { SimulatedNetwork, type SimulatedNetworkOptions } from '../../src/testing/network.ts';
import type { HandshakeRequest, ServerSocket, SocketEvents } from '../../src/server/index.ts';

/** A host that writes down what it hears. */
export class HeardHost implements Host {
  readonly name: string;
  isUp = true;
  protocol = '';
  readonly heard: string[] = [];
  readonly requests: HandshakeRequest[] = [];
  readonly sockets: ServerSocket[] = [];
  readonly received: (string | ArrayBuffer)[] = [];

  constructor(name = 'host') {
    this.name = name;
  }

  accept(socket: ServerSocket, request: HandshakeRequest): SocketEvents {
    this.sockets.push(socket);
    this.requests.push(request);
    this.heard.push('accepted');
    return {
      received: (data) => {
        this.received.push(data);
        this.heard.push(typeof data === 'string' ? data : `${data.byteLength} bytes`);
      },
      closed: (code) => this.heard.push(`closed ${code}`),
      heard: () => undefined,
    };
  }
}

/** One client at a host, and what it hears. Everything takes 5 ms in each direction. */
export class NetworkRig {
  readonly clock = new SimulatedClock();
  readonly device = new SimulatedDevice(this.clock);
  readonly history = new History(() => this.clock.now());
  readonly host = new HeardHost();
  readonly network: SimulatedNetwork;
  readonly heard: string[] = [];

  constructor(options: Partial<SimulatedNetworkOptions> = {}) {
    const { clock, device, history, host } = this;
    this.network = new SimulatedNetwork({
      clock,
      device,
      history,
      host: () => host,
      chance: new Chance(1),
      ...options,
    });
    this.network.pace = { least: 5, most: 5 };
  }

  /** Opens a socket. What it hears is written down with its number before it, from the second on. */
  dial(protocols: string[] = []): ClientSocket {
    const { network, heard } = this;
    new network.WebSocket('ws://simulated/path?query', protocols);
    const socket = network.sockets.at(-1) as ClientSocket;
    const prefix = network.sockets.length > 1 ? `${network.sockets.length}: ` : '';
    socket.onopen = () => heard.push(`${prefix}open`);
    socket.onmessage = ({ data }: { data: unknown }) => heard.push(`${prefix}${String(data)}`);
    socket.onerror = () => heard.push(`${prefix}error`);
    socket.onclose = ({ code }: { code: number }) => heard.push(`${prefix}close ${code}`);
    return socket;
  }

  /** Opens a socket, and forgets what was heard on the way. */
  connect(protocols: string[] = []): { socket: ClientSocket; server: ServerSocket; line: Line } {
    const socket = this.dial(protocols);
    this.clock.advance(20);
    const server = this.host.sockets.at(-1);
    const line = this.network.lines.at(-1);
    if (socket.readyState !== 1 || !server || !line) throw new Error('The socket does not open.');
    this.heard.length = this.host.heard.length = 0;
    return { socket, server, line };
  }
}
