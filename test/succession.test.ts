import { describe, expect, test } from 'vitest';

import type { RequestFacts } from '../src/endpoint.ts';
import type { Link } from '../src/link.ts';
import type { ServiceOptions } from '../src/options.ts';
import { writeText } from '../src/protocol/text-frames.ts';
import { settle, type ServiceSettings } from '../src/settings.ts';
import { offering, Succession } from '../src/succession.ts';
import type { Address, TransportEnd, TransportListener } from '../src/transport/transport.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { Line } from './support/outbox.ts';
import { srvOf, welcomeOf } from './support/server-script.ts';
import { deferred, microtasks } from './support/service.ts';
import { framesOf } from './support/session.ts';
import { Talk } from './support/talk.ts';

const FACTS = { connectionId: 'c', serviceType: 'main', attemptId: 'a2' } as RequestFacts;
const END: TransportEnd = { code: 1006, reason: '', wasClean: false, initiator: 'network', detail: null };

/** A session that has its first socket, and a second one that is wanted. */
class Move {
  readonly talk = new Talk();
  readonly dialled: Address[] = [];
  readonly told: unknown[] = [];
  readonly adopted: [Link, number][] = [];
  readonly ended: number[] = [];
  readonly failed: [code: string, cause: unknown][] = [];
  readonly clock = new SimulatedClock();
  readonly line = new Line();
  disposals = 0;
  /** Thrown when a socket is opened, when set. */
  openError: Error | undefined;
  readonly succession: Succession;
  #peer: TransportListener | undefined;

  constructor(options: Partial<ServiceOptions> = {}, url?: string) {
    this.talk.joins();
    this.line.protocol = 'holdfast.v1';
    this.line.dispose = () => {
      this.disposals += 1;
    };
    const settings = settle({ services: { main: { url: 'wss://host/', wire: 'required', ...options } } });
    this.succession = new Succession({
      settings: () => settings.services.get('main') as ServiceSettings,
      clock: this.clock,
      facts: FACTS,
      conversation: this.talk.conversation,
      url,
      generation: 2,
      open: (address, listener) => {
        this.dialled.push(address);
        if (this.openError) throw this.openError;
        this.#peer = listener;
        return this.line;
      },
      adopt: (link, generation) => this.adopted.push([link, generation]),
      ended: (_end, generation) => this.ended.push(generation),
      tell: ({ type }) => this.told.push(type),
      failed: ({ code }, cause) => this.failed.push([code, cause]),
    });
  }

  get peer(): TransportListener {
    if (!this.#peer) throw new Error('Nothing was dialled.');
    return this.#peer;
  }

  /** The second socket opens, and its server greets. */
  async introduces(): Promise<void> {
    await microtasks();
    this.peer.opened();
    this.peer.received(writeText(srvOf()));
  }
}

describe('a second socket', () => {
  test('offers holdfast.v1, says hello for the session with fresh credentials, and is adopted once it is welcomed', async () => {
    const m = new Move({ credentials: () => 'fresh', protocols: ['own'] });
    await m.introduces();
    expect(m.dialled).toEqual([{ url: 'wss://host/', protocols: ['holdfast.v1', 'own'] }]);
    expect(framesOf(m.line, 'hello')).toMatchObject([{ auth: 'fresh', resume: { sid: 's1' } }]);
    expect([m.adopted, m.told]).toEqual([[], []]);
    m.peer.received(writeText(welcomeOf({ resumed: true, gen: 2 })));
    expect([m.adopted.map(([, generation]) => generation), m.told]).toEqual([[2], ['successor.welcomed']]);
    expect(m.adopted[0]?.[0].transport).toBe(m.line);
  });

  test('is somebody else’s once it is adopted: abandoning it changes nothing, and its end is told', async () => {
    const m = new Move();
    await m.introduces();
    m.peer.received(writeText(welcomeOf({ resumed: true })));
    m.succession.abandon();
    m.peer.ended(END);
    expect([m.disposals, m.ended, m.told]).toEqual([0, [2], ['successor.welcomed']]);
  });

  test.each([
    ['where the server says', 'wss://host/', 'wss://other/x', 'wss://other/x'],
    ['where the server says, without TLS where there was none', 'ws://host/', 'ws://other/x', 'ws://other/x'],
    ['where it was, rather than give up TLS', 'wss://host/', 'ws://other/x', 'wss://host/'],
    ['where it was, when the server says nothing that can be read', 'wss://host/', 'nowhere', 'wss://host/'],
  ])('goes %s', async (_where, url, elsewhere, dialled) => {
    const m = new Move({ url }, elsewhere);
    await microtasks();
    expect(m.dialled.map((address) => address.url)).toEqual([dialled]);
  });
});

describe('a second socket that comes to nothing', () => {
  const thrown = new Error('no');

  test.each<[string, Partial<ServiceOptions>, string, unknown]>([
    ['credentials', { credentials: () => Promise.reject(thrown) }, 'CREDENTIALS_FAILED', thrown],
    ['a URL', { url: () => Promise.reject(thrown) }, 'URL_FAILED', thrown],
    ['a URL that is one', { url: () => 'nowhere' }, 'INVALID_URL', undefined],
    ['credentials in time', { credentials: () => new Promise(() => undefined) }, 'CREDENTIALS_TIMEOUT', undefined],
    ['a URL in time', { url: () => new Promise(() => undefined) }, 'URL_TIMEOUT', undefined],
  ])('for want of %s is told with the reason, and nothing was dialled', async (_what, options, code, cause) => {
    const m = new Move(options);
    await m.clock.advanceAsync(10_000);
    expect([m.told, m.dialled, m.failed]).toEqual([['successor.failed'], [], [[code, cause]]]);
    expect(m.clock.pending()).toBe(0);
  });

  test('because it cannot be made is told, with a reason that quotes nobody', async () => {
    const m = new Move();
    m.openError = new SyntaxError('no');
    await microtasks();
    expect([m.told, m.failed]).toEqual([['successor.failed'], [['INVALID_URL', undefined]]]);
  });

  test.each<[string, (m: Move) => void]>([
    [
      'ends before it is open',
      (m) => {
        m.peer.ended(END);
      },
    ],
    [
      'ends before it is welcomed',
      (m) => {
        m.peer.opened();
        m.peer.received(writeText(srvOf()));
        m.peer.ended(END);
      },
    ],
    [
      'speaks plain',
      (m) => {
        m.peer.opened();
        m.peer.received('hello there');
      },
    ],
    [
      'breaks the protocol',
      (m) => {
        m.peer.opened();
        m.peer.received(writeText(srvOf()));
        m.peer.received('1["x"]');
      },
    ],
  ])('because it %s is told once, and let go of', async (_how, happens) => {
    const m = new Move();
    await microtasks();
    happens(m);
    expect([m.told, m.disposals, m.adopted, m.failed]).toEqual([['successor.failed'], 1, [], []]);
    expect(m.talk.conversation.isResumable).toBe(true);
  });
});

describe('a second socket that nobody wants any more', () => {
  test.each<[string, Partial<ServiceOptions>]>([
    ['its credentials', { credentials: () => answer.promise }],
    ['its URL', { url: () => answer.promise }],
    ['its URL, after its credentials', { credentials: () => 'fresh', url: () => answer.promise }],
  ])('is not dialled when what it waits for comes too late: %s (pain 22)', async (_what, options) => {
    answer = deferred<string>();
    const m = new Move(options);
    await microtasks();
    m.succession.abandon();
    answer.resolve('wss://late/');
    await m.clock.advanceAsync(60_000);
    expect([m.dialled, m.told, m.failed]).toEqual([[], [], []]);
  });

  test('is let go of, says nothing, and tells nothing', async () => {
    const m = new Move();
    await microtasks();
    m.succession.abandon();
    m.peer.opened();
    m.peer.received(writeText(srvOf()));
    m.peer.ended(END);
    expect([m.disposals, m.line.sent, m.told]).toEqual([1, [], []]);
  });
});

test('the name of holdfast.v1 is offered first, once: a server that echoes the first must not echo a secret (trap 8)', () => {
  expect(offering({ url: 'wss://host/', protocols: ['token.s3cr3t', 'holdfast.v1'] }).protocols).toEqual([
    'holdfast.v1',
    'token.s3cr3t',
  ]);
});

// what the providers above wait for
let answer = deferred<string>();
