import { connectionSetup } from './effects.ts';

/** What follows from a failure. A strategy of the policy table is a transition here; the network and the page come first: no strategy works without them. */
export const assessing = connectionSetup.createStateConfig({
  description: 'Passed through after every failure: the one place where recovery is chosen.',
  entry: ['weighFailure', 'announceFailure'],
  always: [
    {
      guard: 'isSuspended',
      target: '#connection.backoff.suspended',
      description: 'Nothing has failed: what follows is no retry.',
    },
    { guard: 'isTerminal', target: 'failed', actions: { type: 'announceGiveUp', params: { because: 'terminal' } } },
    {
      guard: 'areCredentialsExhausted',
      target: 'failed',
      actions: { type: 'announceGiveUp', params: { because: 'credentials' } },
    },
    {
      guard: 'isExhausted',
      target: 'failed',
      actions: { type: 'announceGiveUp', params: { because: 'exhausted' } },
    },
    { guard: 'isFrozen', target: '#connection.backoff.suspended', actions: 'countRetry' },
    {
      guard: 'isToldToWait',
      target: '#connection.backoff.told',
      actions: ['countRetry', 'drawAsked'],
      description: 'The peer has said for how long.',
    },
    { guard: 'isOffline', target: '#connection.backoff.offline', actions: ['countRetry', 'drawOffline'] },
    { guard: 'isHidden', target: '#connection.backoff.hidden', actions: ['countRetry', 'drawHidden'] },
    {
      guard: 'mayReauthenticate',
      target: 'backoff',
      actions: ['countRetry', 'noteTrial', 'drawPrompt'],
      description: 'Fresh credentials may be all that is missing: once in an episode they are tried at once.',
    },
    {
      guard: 'mayRenegotiate',
      target: 'backoff',
      actions: ['countRetry', 'noteTrial', 'drawPrompt'],
      description: 'The server may well speak the other wire.',
    },
    {
      guard: 'mayBeginAnew',
      target: 'backoff',
      actions: ['countRetry', 'noteTrial', 'drawPrompt'],
      description: 'The server is there, and has lost the session: another is opened.',
    },
    { target: 'backoff', actions: ['countRetry', 'drawBackoff'] },
  ],
});

/** The wait for the next attempt, and what can change it. */
export const backoff = connectionSetup.createStateConfig({
  description: 'Between attempts. No socket exists.',
  tags: 'backoff',
  initial: 'waiting',
  on: {
    connect: { target: 'live', description: 'The application does not want to wait.' },
    disconnect: { target: 'closed' },
    'page.frozen': { target: '.suspended', actions: 'noteSignal' },
  },
  states: {
    waiting: {
      description: 'The delay drawn for this retry runs.',
      entry: { type: 'announceRetry', params: { hold: 'delay' } },
      on: {
        'network.offline': { target: 'offline', actions: ['noteSignal', 'drawOffline'] },
        'page.hidden': { target: 'hidden', actions: ['noteSignal', 'drawHidden'] },
        'system.woke': { target: 'waiting', reenter: true, actions: 'drawPrompt' },
      },
      after: { retryDelay: { target: '#connection.live' } },
    },
    told: {
      description: 'The peer has asked for time. Nothing makes it shorter, and nothing makes it begin anew.',
      entry: { type: 'announceRetry', params: { hold: 'server' } },
      on: { connect: { description: 'It joins those who wait.' } },
      after: {
        retryDelay: [
          { guard: 'isOffline', target: 'offline', actions: ['passFloor', 'drawOffline'] },
          { target: '#connection.live', actions: 'passFloor' },
        ],
      },
    },
    offline: {
      description: 'No network is reported. News of it ends the wait; a slow retry goes on: reports can be wrong.',
      entry: { type: 'announceRetry', params: { hold: 'network' } },
      on: {
        'network.online': [
          { guard: 'isHidden', target: 'hidden', actions: ['noteSignal', 'drawHidden'] },
          { target: 'waiting', actions: ['noteSignal', 'drawPrompt'] },
        ],
      },
      after: { retryDelay: { target: '#connection.live' } },
    },
    hidden: {
      description: 'Nobody looks at the page: retries are slower until somebody does.',
      entry: { type: 'announceRetry', params: { hold: 'visibility' } },
      on: {
        'page.visible': { target: 'waiting', actions: ['noteSignal', 'drawPrompt'] },
        'network.offline': { target: 'offline', actions: ['noteSignal', 'drawOffline'] },
      },
      after: { retryDelay: { target: '#connection.live' } },
    },
    suspended: {
      description: 'The page is frozen, or kept for the way back: no attempt is made before it lives again.',
      entry: { type: 'announceRetry', params: { hold: 'page' } },
      on: {
        'page.frozen': { description: 'It is known.' },
        'page.visible': [
          { guard: 'isToldToWait', target: 'told', actions: ['noteSignal', 'drawAsked'] },
          { guard: 'isOffline', target: 'offline', actions: ['noteSignal', 'drawOffline'] },
          { target: 'waiting', actions: ['noteSignal', 'drawPrompt'] },
        ],
        'page.hidden': [
          { guard: 'isToldToWait', target: 'told', actions: ['noteSignal', 'drawAsked'] },
          { guard: 'isOffline', target: 'offline', actions: ['noteSignal', 'drawOffline'] },
          {
            target: 'hidden',
            actions: ['noteSignal', 'drawPrompt'],
            description: 'Nobody looks, but it was not the server that ended it.',
          },
        ],
      },
    },
  },
});
