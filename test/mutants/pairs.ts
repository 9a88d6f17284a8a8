import type { Break, Masked } from './mutant.ts';

const FILE = 'test/guards.test.ts';

const CHECKED_GENERATION: Break = {
  what: 'the chart takes what a socket says for news of the present one',
  file: 'machines/effects.ts',
  from: "'generation' in event && event.generation === context.generation,",
  to: "'generation' in event,",
};

/** Guards that hide one another. */
export const MASKED: readonly Masked[] = [
  {
    hazard: { file: FILE, title: 'a message whose acknowledgement was lost is handed over once' },
    guards: [
      {
        what: 'the client sends again what the welcome says is accepted',
        file: 'src/core/session.ts',
        from: 'const acknowledged = this.outgoing.acknowledge(rx);',
        to: 'const acknowledged = this.outgoing.acknowledge(this.outgoing.acknowledged);',
      },
      {
        what: 'the server takes a position that it has had',
        file: 'src/server/intake.ts',
        from: 'const skipped = this.#ledger.arrived(first, arrivals.length);',
        to: 'const skipped = this.#ledger.arrived(first, arrivals.length) === null ? null : 0;',
      },
    ],
  },
  {
    hazard: { file: FILE, title: 'a message with a key that comes twice at its position is handed over once' },
    guards: [
      {
        what: 'the server takes a position that it has had',
        file: 'src/server/intake.ts',
        from: 'const skipped = this.#ledger.arrived(first, arrivals.length);',
        to: 'const skipped = this.#ledger.arrived(first, arrivals.length) === null ? null : 0;',
      },
      {
        what: 'the server takes a key that it has had',
        file: 'src/server/intake.ts',
        from: 'if (isRepetition) this.#drop(message);',
        to: 'if (isRepetition && this.#isSorting) this.#drop(message);',
      },
    ],
  },
  {
    hazard: { file: FILE, title: 'the end of an abandoned socket is not that of the next' },
    guards: [
      CHECKED_GENERATION,
      {
        what: 'a socket that was let go of tells of its end',
        file: 'src/transport/websocket.ts',
        from: '    socket.onclose = () => {\n      socket.onopen = socket.onerror = socket.onclose = null;\n    };\n',
        to: '',
      },
    ],
  },
  {
    hazard: { file: FILE, title: 'an error that an old socket never followed up is not held against the next' },
    guards: [
      CHECKED_GENERATION,
      {
        what: 'the timer of an error goes on when the socket has ended',
        file: 'src/transport/websocket.ts',
        from: '    clock.clearTimeout(errorTimer);\n',
        to: '',
      },
    ],
  },
  {
    hazard: { file: FILE, title: 'a frame of an old socket is no message' },
    guards: [
      {
        what: 'a socket that was let go of hands on its frames',
        file: 'src/transport/websocket.ts',
        from: '    socket.onmessage = null;\n',
        to: '',
      },
      {
        what: 'a link that was disposed of has its reader still',
        file: 'src/link.ts',
        from: '    this.read(undefined);\n    this.#transport?.dispose();',
        to: '    this.#transport?.dispose();',
      },
      {
        what: 'a link is read on when the traffic has stopped',
        file: 'src/socket-access.ts',
        from: '    this.#readLink?.read(undefined);\n',
        to: '',
      },
    ],
  },
  {
    hazard: { file: FILE, title: 'a socket that was given up while it was connecting does not stay open' },
    guards: [
      {
        what: 'a socket that is disposed of is not told to end',
        file: 'src/transport/websocket.ts',
        from: '      letGo();\n      end(socket);\n    },\n  };',
        to: '      letGo();\n    },\n  };',
      },
      {
        what: 'a socket that opens after it was let go of is left open',
        file: 'src/transport/websocket.ts',
        from: '    socket.onopen = () => {\n      end(socket);\n    };',
        to: '    socket.onopen = null;',
      },
    ],
  },
  {
    hazard: {
      file: FILE,
      title: 'a server that takes the session from one socket of a client for another does not end it',
    },
    guards: [
      {
        what: 'the end of a socket is told while a newer one asks for the session',
        file: 'src/socket-access.ts',
        from: 'if (end.code === WireClose.replaced && this.conversation.isMoving) {',
        to: 'if (end.code === WireClose.replaced && !this.conversation.isMoving) {',
      },
      {
        what: 'a hello that was not answered is forgotten when another has the session',
        file: 'src/conversation.ts',
        from: 'const isByUs = isReplaced && (this.#hellos > 0 || !this.isResumable);',
        to: 'const isByUs = isReplaced && !this.isResumable;',
      },
      {
        what: 'the chart does not expect that a second socket replaces the first',
        file: 'machines/facts.ts',
        from: 'const isOurs = mayBeReplaced && failure.closure?.code === REPLACED;',
        to: 'const isOurs = !mayBeReplaced && failure.closure?.code === REPLACED;',
      },
    ],
  },
  {
    hazard: { file: FILE, title: 'a frame of a socket that was replaced is not handed over' },
    guards: [
      {
        what: 'a link that is closed is heard',
        file: 'src/server/link.ts',
        from: '    if (!this.isOpen) return;\n    this.heard();',
        to: '    this.heard();',
      },
      {
        what: 'a link that has ended has its reader still',
        file: 'src/server/link.ts',
        from: '    this.#reader = undefined;\n  }\n\n  #write',
        to: '  }\n\n  #write',
      },
    ],
  },
  {
    hazard: { file: FILE, title: 'a node whose session another has taken says nothing in it' },
    guards: [
      {
        what: 'a node does not hear that another has taken a session',
        file: 'src/server/server.ts',
        from: '        this.#takenOver(sid, gen);\n',
        to: '        void [sid, gen];\n',
      },
      {
        what: 'the store takes writes of former owners',
        file: 'src/server/memory-store.ts',
        from: 'if (gen !== null && gen !== session.gen)',
        to: 'if (gen !== null && gen > session.gen)',
      },
    ],
  },
  {
    hazard: { file: FILE, title: 'a session whose time is over is not resumed' },
    guards: [
      {
        what: 'no timer sweeps out what is over',
        file: 'src/server/memory-store.ts',
        from: '      this.#arm();\n      return null;',
        to: '      return null;',
      },
      {
        what: 'what is over is not swept out when somebody asks for it',
        file: 'src/server/memory-store.ts',
        from: 'attach(claim: ResumeClaim): Promise<ResumeAnswer> {\n    this.#sweep();\n',
        to: 'attach(claim: ResumeClaim): Promise<ResumeAnswer> {\n',
      },
    ],
  },
];
