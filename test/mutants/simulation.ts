import type { Mutant } from './mutant.ts';

// no test of the part is asked
const SEEDS = ['test/testing/seeds'];

/** Rules of every part, broken one at a time, that the simulation alone is to see. */
export const SIMULATION_MUTANTS: readonly Mutant[] = [
  // ---- each accepted message has one fate
  {
    what: 'a message that may have been sent is told as not sent',
    file: 'src/fates.ts',
    from: "this.#doubt(message, this.error('OUTCOME_UNKNOWN', { cause }));",
    to: "this.#drop(message, this.error('CONNECTION_ENDED', { cause }));",
    tests: SEEDS,
  },
  {
    what: 'a message that was taken by a socket is told twice what became of it',
    file: 'src/in-flight.ts',
    from: 'for (const message of this.#messages.splice(0, left)) this.#options.sent(message);',
    to: 'for (const message of this.#messages.slice(0, left)) this.#options.sent(message);',
    tests: SEEDS,
  },
  {
    what: 'a message that nothing was lost with is in doubt',
    file: 'src/conversation.ts',
    from: "if (outcome.kind === 'resumed') this.#acknowledged(outcome.acknowledged);",
    to: "if (outcome.kind === 'resumed') this.#forsake(outcome.acknowledged);",
    tests: SEEDS,
  },
  {
    what: 'a request that may have been acted on is told as not sent when its time is over',
    file: 'src/requests.ts',
    from: 'this.#error(code, outcomeOf(pending), cause)',
    to: "this.#error(code, 'not_sent', cause)",
    tests: SEEDS,
  },
  {
    what: 'a request has no deadline',
    file: 'src/requests.ts',
    from: '    this.#deadlines.watch(pending);\n',
    to: '',
    tests: SEEDS,
  },
  {
    what: 'the queue takes as many messages as come',
    file: 'src/core/queue.ts',
    from: 'return this.#size < maxMessages &&',
    to: 'return this.#size < Infinity * maxMessages &&',
    tests: SEEDS,
  },
  // ---- on holdfast.v1 nothing is lost, doubled or out of order
  {
    what: 'the client tells a message as acknowledged that it has only written',
    file: 'src/session-wire.ts',
    from: '      outgoing.record(message, weightOf(item));\n',
    to: '      outgoing.record(message, weightOf(item));\n      message.ended("acknowledged");\n',
    tests: SEEDS,
  },
  {
    what: 'the server hands over again what it was handed before',
    file: 'src/server/intake.ts',
    from: 'let index = skipped; index < arrivals.length',
    to: 'let index = 0; index < arrivals.length',
    tests: SEEDS,
  },
  {
    what: 'a lane is left by its last message first',
    file: 'src/outbox.ts',
    from: 'messages.toReversed().filter(',
    to: '[...messages].filter(',
    tests: SEEDS,
  },
  {
    what: 'what goes back to its lane goes to its end',
    file: 'src/backlog.ts',
    from: 'this.#queue.unshift(message);',
    to: 'this.#queue.push(message);',
    tests: SEEDS,
  },
  {
    what: 'what a session resumes with is not sent again',
    file: 'src/session-wire.ts',
    from: '    this.#ownFrom = session.outgoing.next;',
    to: '    this.#ownFrom = 1;',
    tests: SEEDS,
  },
  {
    what: 'a client that comes back says that it has nothing',
    file: 'src/core/session.ts',
    from: 'rx: this.incoming.accepted, lo:',
    to: 'rx: 0, lo:',
    tests: SEEDS,
  },
  {
    what: 'a new session goes on with the positions of the one before',
    file: 'src/core/session.ts',
    from: '    this.incoming.restart();\n',
    to: '',
    tests: SEEDS,
  },
  {
    what: 'the server acknowledges what no application is through with',
    file: 'src/server/mailbox.ts',
    from: '    const consumer = this.#consumerOf(letter);\n    // nobody',
    to: '    letter.accept();\n    const consumer = this.#consumerOf(letter);\n    // nobody',
    tests: SEEDS,
  },
  {
    what: 'the loss of a session is not told',
    file: 'machines/effects.ts',
    from: "hasLostSession: ({ event }) => 'lost' in event && event.lost !== null,",
    to: 'hasLostSession: () => false,',
    tests: SEEDS,
  },
  {
    what: 'what a client has said in a session that it ends is not told to anybody',
    file: 'src/conversation.ts',
    from: '    this.#forsake(this.#session.end());\n',
    to: '    this.#session.end();\n',
    tests: SEEDS,
  },
  // ---- no loop is hot
  {
    what: 'there is no wait between attempts',
    file: 'src/core/backoff.ts',
    from: 'return Math.min(MAX_DELAY_MS, Math.round(Math.max(delayMs, leastMs)));',
    to: 'return 0;',
    tests: SEEDS,
  },
  {
    what: 'the wait for the next attempt never ends',
    file: 'machines/recovery.ts',
    from: "      after: { retryDelay: { target: '#connection.live' } },\n    },\n    told: {",
    to: '    },\n    told: {',
    tests: SEEDS,
  },
  // ---- no dead link is taken for a living one
  {
    what: 'a link that answers nothing is given up never',
    file: 'machines/health.ts',
    from: "              after: { dead: { target: 'overdue' } },\n",
    to: '',
    tests: SEEDS,
  },
  {
    what: 'a link is probed only when somebody asks for it',
    file: 'machines/health.ts',
    from: "          after: { interval: { target: 'doubted' } },\n",
    to: '',
    tests: SEEDS,
  },
  {
    what: 'a server that opens no session is waited for without end',
    file: 'machines/connection.ts',
    from: "                    welcomeTimeout: {\n                      target: '#connection.assessing',\n                      actions: [{ type: 'recordCode', params: { code: 'WELCOME_TIMEOUT' } }],\n                    },\n",
    to: '',
    tests: SEEDS,
  },
  // ---- once nothing goes wrong any more every connection opens
  {
    what: 'a page that thaws tries nothing',
    file: 'machines/recovery.ts',
    from: "          { target: 'waiting', actions: ['noteSignal', 'drawPrompt'] },\n        ],\n        'page.hidden': [",
    to: "          { actions: 'noteSignal' },\n        ],\n        'page.hidden': [",
    tests: SEEDS,
  },
  {
    what: 'a network that is back is not used',
    file: 'machines/recovery.ts',
    from: "          { target: 'waiting', actions: ['noteSignal', 'drawPrompt'] },\n        ],\n      },\n      after: { retryDelay: { target: '#connection.live' } },\n    },\n    hidden: {",
    to: "          { actions: 'noteSignal' },\n        ],\n      },\n    },\n    hidden: {",
    tests: SEEDS,
  },
  {
    what: 'who connects while it is closing is not heard',
    file: 'machines/connection.ts',
    from: "            connect: {\n              target: '#connection.live',\n              reenter: true,\n              actions: ['recordOwnClose', 'announceClosed', 'begin'],\n              description: 'A new socket; the old one is disposed of, not waited for.',\n            },\n",
    to: '',
    tests: SEEDS,
  },
  {
    what: 'messages that were held back are held back for ever',
    file: 'machines/outbox.ts',
    from: "            resume: { target: 'flowing' },\n",
    to: '',
    tests: SEEDS,
  },
  {
    what: 'who waits for room on a line does not look at it',
    file: 'src/relief.ts',
    from: '    this.watch(wire);\n    return',
    to: '    return',
    tests: SEEDS,
  },
  {
    what: 'the end of credentials is told in fractions of a millisecond',
    file: 'src/server/lease.ts',
    from: 'return expiresAt > 0 ? Math.floor(Math.min(expiresAt, Number.MAX_SAFE_INTEGER)) : 0;',
    to: 'return expiresAt > 0 ? Math.min(expiresAt, Number.MAX_SAFE_INTEGER) : 0;',
    tests: SEEDS,
  },
  // ---- nothing is left over at the end
  {
    what: 'a socket that is let go of stays open',
    file: 'src/transport/websocket.ts',
    from: '    dispose() {\n      letGo();\n      end(socket);\n',
    to: '    dispose() {\n      letGo();\n',
    tests: SEEDS,
  },
  // ---- the audit log is whole, replays with every transition the same, and holds no secret
  {
    what: 'what a peer says is written into the audit log',
    file: 'src/audit/redaction.ts',
    from: "if (TEXT.has(key)) return !this.#keepsTexts && typeof value === 'string' && value !== '';",
    to: 'if (TEXT.has(key)) return false;',
    tests: SEEDS,
  },
  {
    what: 'the records of the audit log are no chain',
    file: 'src/audit/chaining.ts',
    from: 'this.#head = { seq: this.#head.seq + 1, hash };',
    to: 'this.#head = { seq: this.#head.seq + 1, hash: this.#head.hash };',
    tests: SEEDS,
  },
  {
    what: 'a wait depends on chance that is written down nowhere',
    file: 'machines/facts.ts',
    from: 'retryDelayMs: delayMs(policy.backoff, draw, facts) };',
    to: 'retryDelayMs: delayMs(policy.backoff, (draw + Math.random()) % 1, facts) };',
    tests: SEEDS,
  },
  {
    what: 'what messages say is written into the audit log',
    file: 'src/audit/redaction.ts',
    from: "options.payloads ?? 'withheld'",
    to: "options.payloads ?? 'kept'",
    tests: SEEDS,
  },
  {
    what: 'who destroys the client while it is destroyed waits for ever',
    file: 'src/service.ts',
    from: `this.#destruction = this.#release();
    this.#diagnostics.end();
    for (const { connection } of this.#registry.members.values()) connection.ending();
    if (this.#isOver) this.#stopped();
    else this.#root.send({ type: 'drain', deadlineMs: options.deadlineMs ?? 2_000 });
`,
    to: `const released = this.#release();
    this.#diagnostics.end();
    for (const { connection } of this.#registry.members.values()) connection.ending();
    if (this.#isOver) this.#stopped();
    else this.#root.send({ type: 'drain', deadlineMs: options.deadlineMs ?? 2_000 });
    this.#destruction = released;
`,
    tests: SEEDS,
  },
];
