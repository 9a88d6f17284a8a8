import type { Subject } from './diagnostics.ts';
import type { RequestFacts } from './endpoint.ts';
import type { Patient } from './examination.ts';
import type { Member } from './member.ts';
import type { ServiceSettings, Settings } from './settings.ts';
import type { WebSocketConstructor } from './transport/websocket.ts';

/** What a service knows of what is to be diagnosed. */
export interface SubjectFacts {
  settings: Settings;
  /** The connection of that id; `undefined` where a service type is meant. */
  member: Member | undefined;
  /** Whether the platform reports that there is no network. */
  isOffline: boolean;
}

// names attempts, which are told apart by these names
let diagnoses = 0;

/** A connection by its id, or a service type, as what is to be diagnosed. */
export function subjectOf(target: string, { settings, member, isOffline }: SubjectFacts): Subject {
  const serviceType = member?.connection.serviceType ?? target;
  const { WebSocket, fetch } = settings.options;
  return {
    connectionId: member?.connection.id ?? null,
    serviceType,
    options: () => ({
      settings: member?.settings() ?? (settings.services.get(serviceType) as ServiceSettings),
      facts: {
        ...(member?.facts() ?? strangerOf(serviceType)),
        attemptId: `diagnosis-${++diagnoses}`,
        isDiagnostic: true,
      },
      patient: member && patientOf(member),
      WebSocket: WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket,
      fetch: fetch ?? (globalThis as { fetch?: typeof globalThis.fetch }).fetch,
      isOffline,
    }),
  };
}

function patientOf({ connection, ports }: Member): Patient {
  return {
    get isUsable() {
      const { state } = connection.status;
      return state === 'open' || state === 'degraded';
    },
    status: () => connection.status,
    load: () => ports.outbox.load,
    ping: (answered) => ports.ping(answered),
  };
}

// what a connection would be that nobody has asked for yet
function strangerOf(serviceType: string): Omit<RequestFacts, 'attemptId'> {
  return {
    connectionId: serviceType,
    serviceType,
    terminalId: undefined,
    sessionId: undefined,
    params: {},
    attempt: 0,
    lastFailure: undefined,
  };
}
