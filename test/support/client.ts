import { WebSocket } from 'ws';

import {
  EnhancedWebSocketService,
  type Connection,
  type EnhancedWebSocketOptions,
  type RetryOptions,
  type ServiceEvents,
  type ServiceOptions,
} from '../../src/index.ts';
import { until } from './deadline.ts';
import { audited } from './audited.ts';

/** Waits short enough for a test, and of the same shape as the default ones. */
const BRISK: RetryOptions = { baseMs: 20, capMs: 200, promptMs: 20 };

export interface RecordedEvent<Type extends keyof ServiceEvents = keyof ServiceEvents> {
  type: Type;
  event: ServiceEvents[Type];
  /** When it came, in ms of `performance.now()`. */
  atMs: number;
}

const TYPES = ['opened', 'closed', 'retrying', 'gaveUp', 'status', 'message', 'error'] as const;

/** A service with one service type, `main`, and all that it told. */
export class TestClient {
  readonly service: EnhancedWebSocketService;
  readonly events: RecordedEvent[] = [];

  constructor(main: ServiceOptions, options: Omit<EnhancedWebSocketOptions, 'services'> = {}) {
    this.service = new EnhancedWebSocketService({
      WebSocket,
      ...options,
      services: { main: { retry: BRISK, ...main } },
    });
    for (const type of TYPES) {
      this.service.on(type, (event) => {
        this.events.push({ type, event, atMs: performance.now() });
      });
    }
  }

  /** Opens the connection. */
  connect(): Promise<string> {
    return this.service.connect({ serviceType: 'main' });
  }

  /** The connection; there is one from the first `connect()` on. */
  get connection(): Connection {
    return this.service.connection('main');
  }

  get state(): string {
    return this.connection.status.state;
  }

  /** The events of one type, oldest first. */
  of<Type extends keyof ServiceEvents>(type: Type): ServiceEvents[Type][] {
    return this.#recorded(type).map(({ event }) => event);
  }

  /** When the events of one type came, oldest first. */
  timesOf(type: keyof ServiceEvents): number[] {
    return this.#recorded(type).map(({ atMs }) => atMs);
  }

  /** The states entered so far, oldest first. */
  get states(): string[] {
    return this.of('status').map(({ current }) => current);
  }

  /** The states entered until the first event of a type came, oldest first. */
  statesBefore(type: keyof ServiceEvents): string[] {
    const end = this.events.findIndex((recorded) => recorded.type === type);
    return this.events.slice(0, end).flatMap(({ event }) => ('current' in event ? [event.current] : []));
  }

  /** The messages received so far, oldest first. */
  get messages(): unknown[] {
    return this.of('message').map(({ data }) => data);
  }

  /** Waits for the event of a type with this number, from 1. */
  async nth<Type extends keyof ServiceEvents>(type: Type, number: number): Promise<ServiceEvents[Type]> {
    return until(`${type} for the ${number}. time`, () => this.of(type)[number - 1]);
  }

  /** Waits until the connection is in a state. */
  async reaches(state: string): Promise<void> {
    await until(`the connection is ${state}`, () => this.state === state);
  }

  #recorded<Type extends keyof ServiceEvents>(wanted: Type): RecordedEvent<Type>[] {
    return this.events.filter((recorded): recorded is RecordedEvent<Type> => recorded.type === wanted);
  }
}

/** Makes a client, whose service is destroyed when the test is over, and its audit log replayed. */
export function startClient(
  main: ServiceOptions,
  options: Omit<EnhancedWebSocketOptions, 'services'> = {},
): TestClient {
  const client = new TestClient(main, options);
  audited(client.service);
  return client;
}
