import { connectionSetup } from './effects.ts';
import { heartbeatOf, initialContext, type ActorInput, type ConnectionContext } from './facts.ts';
import { assessing, backoff } from './recovery.ts';

// whose actor it is: all that an invoked actor is told
const itself = ({ context }: { context: ConnectionContext }): ActorInput => ({ connectionId: context.id });

/** Life and recovery of one connection. Payloads never come here: only edges do. */
export const connectionMachine = connectionSetup.createMachine({
  id: 'connection',
  description: 'Life and recovery of one connection.',
  context: ({ input }) => initialContext(input),
  options: { maxIterations: 100 },
  invoke: { id: 'outbox', src: 'outbox', input: itself },
  initial: 'idle',
  on: {
    pause: { actions: { type: 'tellOutbox', params: { type: 'pause' } } },
    resume: { actions: { type: 'tellOutbox', params: { type: 'resume' } } },
    'outbox.congested': { actions: { type: 'announceFlow', params: { edge: 'congested' } } },
    'outbox.relieved': { actions: { type: 'announceFlow', params: { edge: 'relieved' } } },
    'outbox.overflowed': { actions: { type: 'announceFlow', params: { edge: 'overflowed' } } },
    'policy.changed': { actions: 'changePolicy' },
    'network.online': { actions: 'noteSignal' },
    'network.offline': { actions: 'noteSignal' },
    'page.visible': { actions: 'noteSignal' },
    'page.hidden': { actions: 'noteSignal' },
    'page.frozen': { actions: 'noteSignal' },
  },
  states: {
    idle: {
      description: 'Made, and not yet asked to connect.',
      tags: 'idle',
      on: {
        connect: { target: 'live', actions: 'begin' },
        restore: [
          { guard: 'wasOpen', target: 'assessing', actions: ['restore', 'announceClosed'] },
          { target: 'assessing', actions: 'restore', description: 'It goes on for an actor that died.' },
        ],
        disconnect: { target: 'closed' },
      },
    },
    live: {
      description: 'One attempt and its socket. Leaving this state disposes of the socket, whatever its state.',
      invoke: { id: 'socket', src: 'socket', input: itself },
      entry: { type: 'report', params: { type: 'connection.active' } },
      initial: 'connecting',
      on: {
        disconnect: { target: 'closed', description: 'Nothing is open yet: the attempt is dropped.' },
        'page.frozen': { target: 'assessing', actions: ['noteSignal', 'recordSuspension'] },
      },
      states: {
        connecting: {
          description: 'From the wish to the first usable moment of the link.',
          tags: 'connecting',
          invoke: { id: 'turn', src: 'turn', input: itself },
          initial: 'queued',
          states: {
            queued: {
              description: 'Waiting for its turn: only so many connections dial at once. No deadline runs yet.',
              on: { 'turn.granted': { target: 'resolving' } },
            },
            resolving: {
              description: 'Who we are and where to go, asked anew for each attempt.',
              initial: 'authorizing',
              states: {
                authorizing: {
                  description:
                    'Waiting for the credentials provider; passed at once without one, and with what an attempt before has got.',
                  invoke: {
                    id: 'authorizer',
                    src: 'authorizer',
                    input: ({ context }) => ({ connectionId: context.id, credentials: context.credentials }),
                  },
                  on: {
                    'credentials.resolved': { target: 'locating', actions: 'keepCredentials' },
                    'credentials.failed': {
                      target: '#connection.assessing',
                      actions: ['countCredentialsFailure', 'recordFailure'],
                    },
                  },
                  after: {
                    credentialsTimeout: {
                      target: '#connection.assessing',
                      actions: [
                        'countCredentialsFailure',
                        { type: 'recordCode', params: { code: 'CREDENTIALS_TIMEOUT' } },
                      ],
                    },
                  },
                },
                locating: {
                  description: 'Waiting for the URL provider; passed at once with a fixed URL.',
                  invoke: { id: 'locator', src: 'locator', input: itself },
                  on: {
                    'url.resolved': { target: '#connection.live.connecting.dialing' },
                    'url.failed': { target: '#connection.assessing', actions: ['recordFailure'] },
                  },
                  after: {
                    urlTimeout: {
                      target: '#connection.assessing',
                      actions: [{ type: 'recordCode', params: { code: 'URL_TIMEOUT' } }],
                    },
                  },
                },
              },
            },
            dialing: {
              description: 'The WebSocket handshake is under way.',
              entry: ['advanceGeneration', 'dialSocket'],
              on: {
                'socket.opened': [
                  { guard: 'isOffered', target: 'negotiating', actions: 'noteLink' },
                  { guard: 'hasLostCurrent', target: 'greeting', actions: ['noteLink', 'announceLoss'] },
                  { guard: 'isCurrent', target: 'greeting', actions: 'noteLink' },
                ],
                'socket.closed': {
                  guard: 'isCurrent',
                  target: '#connection.assessing',
                  actions: ['recordFailure', 'noteRefusal', 'turnOffer'],
                },
              },
              after: {
                connectTimeout: {
                  target: '#connection.assessing',
                  actions: [{ type: 'recordCode', params: { code: 'CONNECT_TIMEOUT' } }],
                },
              },
            },
            negotiating: {
              description: 'The socket is open, and holdfast.v1 was offered: the server speaks first.',
              invoke: { id: 'negotiator', src: 'negotiator', input: itself },
              initial: 'awaiting',
              on: {
                'negotiation.failed': { target: '#connection.assessing', actions: 'recordFailure' },
                'socket.closed': { guard: 'isCurrent', target: '#connection.assessing', actions: 'recordFailure' },
              },
              states: {
                awaiting: {
                  description: 'Nothing is said before the server has proved that it speaks holdfast.v1.',
                  on: {
                    'wire.proven': { target: 'introducing' },
                    'wire.plain': [
                      {
                        guard: 'isWireRequired',
                        target: '#connection.assessing',
                        actions: { type: 'recordCode', params: { code: 'WIRE_UNAVAILABLE' } },
                      },
                      {
                        guard: 'hasLostSession',
                        target: '#connection.live.connecting.greeting',
                        actions: ['noteLink', 'announceLoss'],
                      },
                      { target: '#connection.live.connecting.greeting', actions: 'noteLink' },
                    ],
                  },
                  after: {
                    wireTimeout: { actions: 'stopWaiting', description: 'A server that says nothing speaks plain.' },
                  },
                },
                introducing: {
                  description: 'The hello is out: the server opens a session, or goes on with the one there was.',
                  on: {
                    'session.welcomed': [
                      {
                        guard: 'hasLostSession',
                        target: '#connection.live.connecting.greeting',
                        actions: ['noteLink', 'announceLoss'],
                      },
                      { target: '#connection.live.connecting.greeting', actions: 'noteLink' },
                    ],
                  },
                  after: {
                    welcomeTimeout: {
                      target: '#connection.assessing',
                      actions: [{ type: 'recordCode', params: { code: 'WELCOME_TIMEOUT' } }],
                    },
                  },
                },
              },
            },
            greeting: {
              description: 'The socket is open; what the profile says comes first leaves now.',
              invoke: { id: 'greeter', src: 'greeter', input: itself },
              on: {
                'greeting.completed': { target: '#connection.live.linked' },
                'greeting.failed': { target: '#connection.assessing', actions: ['recordFailure'] },
                'socket.closed': { guard: 'isCurrent', target: '#connection.assessing', actions: 'recordFailure' },
              },
              after: {
                greetingTimeout: {
                  target: '#connection.assessing',
                  actions: [{ type: 'recordCode', params: { code: 'GREETING_TIMEOUT' } }],
                },
              },
            },
          },
        },
        linked: {
          description: 'The link is in use: outbox and inbox are joined to the socket exactly while this state holds.',
          invoke: { id: 'traffic', src: 'traffic', input: itself },
          entry: { type: 'tellOutbox', params: { type: 'attached' } },
          exit: { type: 'tellOutbox', params: { type: 'detached' } },
          initial: 'established',
          on: {
            'socket.closed': {
              guard: 'isCurrent',
              target: '#connection.assessing',
              actions: ['recordFailure', 'announceClosed'],
            },
            'page.frozen': {
              target: '#connection.assessing',
              actions: ['noteSignal', 'recordSuspension', 'announceClosed'],
              description: 'An open socket would keep the page from being kept for the way back.',
            },
          },
          states: {
            established: {
              invoke: {
                id: 'health',
                src: 'health',
                input: ({ context }) => ({
                  connectionId: context.id,
                  policy: heartbeatOf(context),
                  isGraded: context.policy.isGraded,
                }),
              },
              description: 'Messages flow both ways.',
              entry: ['recordOpen', 'announceOpened'],
              initial: 'open',
              on: {
                'health.dead': {
                  target: '#connection.assessing',
                  actions: [{ type: 'recordCode', params: { code: 'LINK_DEAD' } }, 'announceClosed'],
                  description: 'Abandoned without waiting for the platform to notice.',
                },
                disconnect: { target: 'draining', actions: 'recordCloseRequest' },
                'network.online': { actions: ['noteSignal', 'probeLink'] },
                'network.offline': { actions: ['noteSignal', 'probeLink'] },
                'page.visible': { actions: ['noteSignal', 'paceProbes', 'probeLink'] },
                'page.hidden': { actions: ['noteSignal', 'paceProbes'] },
                'system.woke': { actions: 'probeLink' },
                'server.away': { target: '.leaving', actions: 'drawDeparture' },
                'credentials.demanded': { target: '.renewing' },
                'health.late': { target: '.degraded' },
                'health.poor': { target: '.degraded' },
                'health.graded': { actions: 'announceGrade' },
                'policy.changed': { actions: ['changePolicy', 'gradeLink'] },
              },
              after: {
                stablePeriod: { actions: 'settle', description: 'The next loss begins a new episode.' },
              },
              states: {
                open: { description: 'Messages flow.', tags: 'open' },
                degraded: {
                  description: 'Messages flow, but the peer is late with its proof of life, or mostly slow with it.',
                  tags: 'degraded',
                  on: {
                    'health.recovered': { target: 'open' },
                    'health.late': { description: 'It is known.' },
                    'health.poor': { description: 'It is known.' },
                  },
                },
                renewing: {
                  description: 'Messages flow. The server asks for fresh credentials; without them it will close.',
                  tags: 'open',
                  invoke: { id: 'renewer', src: 'renewer', input: itself },
                  on: {
                    'credentials.demanded': { description: 'They are under way.' },
                    'credentials.renewed': { target: 'open' },
                    'credentials.spent': { target: 'open', description: 'The server will close, as any server may.' },
                    'server.away': { target: 'moving', description: 'A new socket brings fresh ones.' },
                    'health.late': { description: 'It is asked for still; a link that is dead ends it.' },
                    'health.poor': { description: 'It is asked for still; the next measurement says so again.' },
                  },
                  after: { credentialsTimeout: { target: 'open' } },
                },
                leaving: {
                  description: 'Messages flow. The server asks to be left: not all of its clients are to go at once.',
                  tags: 'open',
                  on: {
                    'credentials.demanded': { target: 'moving', description: 'A new socket brings fresh ones.' },
                    'health.late': { description: 'It is to be left still; a link that is dead is left at once.' },
                    'health.poor': { description: 'It is to be left still.' },
                  },
                  after: { departure: { target: 'moving' } },
                },
                moving: {
                  description: 'Messages flow. A second socket is on its way; the first goes when it has the session.',
                  tags: 'open',
                  invoke: { id: 'successor', src: 'successor', input: itself },
                  entry: 'expectReplacement',
                  on: {
                    'server.away': { description: 'It is under way.' },
                    'credentials.demanded': { description: 'The new socket brings fresh ones.' },
                    'health.late': { description: 'The new socket is the cure.' },
                    'health.poor': { description: 'The new socket may be the cure.' },
                    'successor.welcomed': [
                      {
                        guard: 'isFresh',
                        target: '#connection.live.connecting.greeting',
                        actions: ['noteLink', 'announceLoss'],
                        description: 'The new server knows nothing of the session: it begins anew.',
                      },
                      { target: 'open', actions: ['noteLink', 'rewatchLink'] },
                    ],
                    'successor.failed': { target: 'open', description: 'The server will close, as any server may.' },
                  },
                  after: { attemptTimeout: { target: 'open' } },
                },
              },
            },
            draining: {
              description: 'The application closed: what waits leaves first, within a deadline.',
              tags: 'closing',
              entry: { type: 'tellOutbox', params: { type: 'drain' } },
              on: {
                'outbox.emptied': { target: '#connection.live.closing' },
                'socket.closed': {
                  guard: 'isCurrent',
                  target: '#connection.closed',
                  actions: ['recordFailure', 'announceClosed'],
                  description: 'The peer was faster.',
                },
                connect: {
                  target: '#connection.live',
                  reenter: true,
                  actions: ['recordOwnClose', 'announceClosed', 'begin'],
                  description: 'A new socket; what waits goes to it.',
                },
                'page.frozen': {
                  target: '#connection.closed',
                  actions: ['noteSignal', 'recordOwnClose', 'announceClosed'],
                },
                disconnect: { description: 'Already closing.' },
              },
              after: { drainTimeout: { target: '#connection.live.closing' } },
            },
          },
        },
        closing: {
          description: 'The application closed; the closing handshake has a deadline.',
          tags: 'closing',
          entry: 'closeSocket',
          on: {
            'socket.closed': {
              guard: 'isCurrent',
              target: '#connection.closed',
              actions: ['recordFailure', 'announceClosed'],
            },
            connect: {
              target: '#connection.live',
              reenter: true,
              actions: ['recordOwnClose', 'announceClosed', 'begin'],
              description: 'A new socket; the old one is disposed of, not waited for.',
            },
            'page.frozen': {
              target: '#connection.closed',
              actions: ['noteSignal', 'recordOwnClose', 'announceClosed'],
              description: 'The time for the handshake is over.',
            },
            disconnect: { description: 'Already closing.' },
          },
          after: {
            closeTimeout: { target: '#connection.closed', actions: ['recordOwnClose', 'announceClosed'] },
          },
        },
      },
    },
    assessing,
    backoff,
    closed: {
      description: 'The application closed it. Only the application opens it again, with nothing held back.',
      tags: 'closed',
      entry: [{ type: 'report', params: { type: 'connection.rested' } }, 'freeOutbox'],
      on: { connect: { target: 'live', actions: 'begin' } },
    },
    failed: {
      description: 'Given up, with a reason. Only the application tries again.',
      tags: 'failed',
      entry: { type: 'report', params: { type: 'connection.rested' } },
      on: { connect: { target: 'live', actions: 'begin' }, disconnect: { target: 'closed' } },
    },
  },
});
