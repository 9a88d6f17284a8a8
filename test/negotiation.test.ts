import { describe, expect, test } from 'vitest';

import { Negotiation, type Introduction } from '../src/negotiation.ts';
import type { Compression, MakeCompression } from '../src/protocol/compression.ts';
import { writeText } from '../src/protocol/text-frames.ts';
import type { FrameData } from '../src/transport/transport.ts';
import { Line } from './support/outbox.ts';
import { LIMITS, srvOf, welcomeOf } from './support/server-script.ts';
import { deferred, microtasks } from './support/service.ts';
import { framesOn, linkOver } from './support/session.ts';
import { makeCompression } from './support/compression.ts';

const srv = (given?: Parameters<typeof srvOf>[0]): string => writeText(srvOf(given));
const welcome = (given?: Parameters<typeof welcomeOf>[0]): string => writeText(welcomeOf(given));

interface Talk {
  line: Line;
  /** What was reported, in order. */
  told: unknown[];
  says: (...frames: FrameData[]) => void;
  /** What the next reader of the link gets. */
  left: () => FrameData[];
  negotiation: Negotiation;
}

function howOf(compression: Compression | null): 'window' | 'alone' | null {
  if (!compression) return null;
  return compression.threshold < 1_024 ? 'window' : 'alone';
}

function talking(
  introduction: Partial<Introduction> = {},
  {
    loadCompression = null,
    keepsWindow = false,
    line = new Line(),
  }: { loadCompression?: (() => Promise<MakeCompression>) | null; keepsWindow?: boolean; line?: Line } = {},
): Talk {
  line.protocol ||= 'holdfast.v1';
  const { link, peer } = linkOver(line);
  const told: unknown[] = [];
  const negotiation = new Negotiation(link, line, {
    introduction: () => ({ nonce: 'n1', resume: undefined, auth: undefined, limits: LIMITS, ...introduction }),
    loadCompression,
    keepsWindow,
    reports: {
      proven: () => told.push('proven'),
      introducing: () => told.push('introducing'),
      introduced: () => told.push('introduced'),
      plain: () => told.push('plain'),
      welcomed: ({ sid }, compression) => told.push(['welcomed', sid, howOf(compression)]),
      violated: ({ closeCode }) => told.push(['violated', closeCode]),
      warned: ({ c }) => told.push(['warned', c]),
    },
  });
  return {
    line,
    told,
    negotiation,
    says: (...frames) => {
      for (const frame of frames) peer.received(frame);
    },
    left: () => {
      const left: FrameData[] = [];
      link.read((data) => left.push(data));
      return left;
    },
  };
}

function started(...given: Parameters<typeof talking>): Talk {
  const talk = talking(...given);
  talk.negotiation.start();
  return talk;
}

describe('a negotiation', () => {
  test('says nothing until the server has greeted, then hello, and ends with the welcome', () => {
    const { line, told, says } = started();
    expect([line.sent, told]).toEqual([[], []]);
    says(srv());
    expect(framesOn(line)).toEqual([{ t: 'hello', v: 1, nonce: 'n1', caps: [], lim: LIMITS }]);
    expect(told).toEqual(['proven', 'introducing', 'introduced']);
    says(welcome());
    expect(told.slice(3)).toEqual([['welcomed', 's1', null]]);
  });

  test('introduces this side with its token and what it resumes, as they are at that moment', () => {
    const introduction: Partial<Introduction> = {};
    const { line, says } = started(introduction);
    const resume = { sid: 's', tok: 't', ep: 'e', rx: 3, lo: 2, hi: 4 };
    Object.assign(introduction, { auth: 'secret' });
    const later = started({ auth: 'secret', resume });
    later.says(srv());
    says(srv());
    expect(framesOn(later.line)).toMatchObject([{ auth: 'secret', resume }]);
    expect(framesOn(line)[0]).not.toHaveProperty('resume');
  });

  test('begins with what was said before', () => {
    const { line, negotiation, says } = talking();
    says(srv());
    negotiation.start();
    expect(framesOn(line)).toMatchObject([{ t: 'hello' }]);
  });

  test('leaves what comes behind the welcome for who reads next', () => {
    const { says, left } = started();
    says(srv(), welcome(), '1["a"]', '2["b"]');
    expect(left()).toEqual(['1["a"]', '2["b"]']);
  });

  test.each<[string, FrameData]>([
    ['text', 'hello there'],
    ['bytes', Uint8Array.of(1).buffer],
    ['a frame that is no greeting', welcome()],
    ['a greeting that is none', '{"t":"srv","v":[1]}'],
    ['a greeting larger than is taken', srv({ node: 'n'.repeat(200) })],
  ])('finds a server that says %s first to speak plain, and leaves that to be read (trap 8)', (what, first) => {
    const limits = what.endsWith('taken') ? { ...LIMITS, frame: 100 } : LIMITS;
    const { line, told, says, left } = started({ limits });
    says(first, 'second');
    expect([told, line.sent, left()]).toEqual([['plain'], [], [first, 'second']]);
  });

  test.each([
    ['another name', 'other', ['plain']],
    ['none', '', ['plain']],
    ['the name', 'holdfast.v1', []],
  ])('with a server that selected %s has found: %j, %j (trap 8)', (_what, protocol, told) => {
    const line = new Line();
    line.protocol = protocol;
    const { link } = linkOver(line);
    const heard: string[] = [];
    const nothing = (): void => undefined;
    const negotiation = new Negotiation(link, line, {
      introduction: () => ({ nonce: '', resume: undefined, auth: undefined, limits: LIMITS }),
      loadCompression: null,
      keepsWindow: false,
      reports: {
        proven: nothing,
        introducing: nothing,
        introduced: nothing,
        plain: () => heard.push('plain'),
        welcomed: nothing,
        violated: nothing,
        warned: nothing,
      },
    });
    negotiation.start();
    expect(heard).toEqual(told);
  });

  test('waits for the greeting where the platform does not say what was selected', () => {
    const line = new Line();
    line.protocol = undefined;
    const talk = talking({}, { line });
    line.protocol = undefined;
    talk.negotiation.start();
    expect(talk.told).toEqual([]);
    talk.says(srv());
    expect(talk.told).toEqual(['proven', 'introducing', 'introduced']);
  });

  test('gives way to plain while the server has said nothing, and not later', () => {
    const silent = started();
    silent.negotiation.yield();
    silent.says('late');
    expect([silent.told, silent.left()]).toEqual([['plain'], ['late']]);
    const greeted = started();
    greeted.says(srv());
    greeted.negotiation.yield();
    expect(greeted.told).toEqual(['proven', 'introducing', 'introduced']);
  });

  test('with a server of other versions breaks off with 4002', () => {
    const { line, told, says } = started();
    says(srv({ v: [2, 7] }));
    expect([told, line.sent]).toEqual([['proven', ['violated', 4002]], []]);
  });

  test.each<[string, FrameData, number]>([
    ['another frame', '1["x"]', 4001],
    ['a second greeting', srv(), 4001],
    ['no frame', 'hello there', 4001],
    ['a frame that is compressed', Uint8Array.of(2, 1, 1, 3, 0).buffer, 4001],
    ['a frame that is too big', `{"t":"welcome","sid":"${'x'.repeat(70_000)}"}`, 4006],
  ])('is broken by %s in place of the welcome', (_what, frame, code) => {
    const { told, says } = started();
    says(srv(), frame, welcome());
    expect(told.slice(3)).toEqual([['violated', code]]);
  });

  test('hears why the server is about to close, and passes by what may be ignored', () => {
    const { told, says } = started();
    says(srv(), '{"t":"news","o":1}', writeText({ t: 'err', c: 'BUSY', m: '', temp: true }), welcome());
    expect(told.slice(3)).toEqual([
      ['warned', 'BUSY'],
      ['welcomed', 's1', null],
    ]);
  });

  test('abandoned reports nothing more, says nothing more, and leaves what comes', () => {
    const { line, told, says, negotiation, left } = started();
    negotiation.abandon();
    negotiation.abandon();
    negotiation.yield();
    says(srv());
    expect([told, line.sent, left()]).toEqual([[], [], [srv()]]);
  });

  test('does not mind a socket that throws: its end is told by itself, and no hello has left', () => {
    const line = new Line();
    line.onSend = () => {
      throw new Error('closing');
    };
    const { told, says } = started({}, { line });
    says(srv());
    expect(told).toEqual(['proven', 'introducing']);
  });
});

describe('compression', () => {
  const caps = ['deflate-raw'];

  test.each([
    ['both sides', { caps }, { caps }, 'alone'],
    ['the server only in its greeting', { caps }, {}, null],
    ['the client only', {}, { caps }, null],
  ])('is agreed on by %s (pain 53)', async (_who, greeting, answer, how) => {
    const { told, says } = started({}, { loadCompression: () => Promise.resolve(makeCompression) });
    says(srv(greeting));
    await microtasks();
    says(welcome(answer));
    expect(told.at(-1)).toEqual(['welcomed', 's1', how]);
  });

  const both = ['deflate-raw', 'deflate-window'];
  test.each([
    ['granted to who wants it', true, both, both, both, 'window'],
    ['not asked for by who does not', false, both, both, caps, 'alone'],
    ['not asked for where it is not to be had', true, caps, both, caps, 'alone'],
    ['done without where it is not granted', true, both, caps, both, 'alone'],
  ])('with a window is %s', async (_what, keepsWindow, offered, granted, asked, how) => {
    const { line, told, says } = started({}, { loadCompression: () => Promise.resolve(makeCompression), keepsWindow });
    says(srv({ caps: offered }));
    await microtasks();
    says(welcome({ caps: granted }));
    expect([framesOn(line), told.at(-1)]).toMatchObject([[{ t: 'hello', caps: asked }], ['welcomed', 's1', how]]);
  });

  test('is loaded only when the server can do it, and the hello waits for that (pain 53)', async () => {
    let loads = 0;
    const loading = deferred<MakeCompression>();
    const loadCompression = (): Promise<MakeCompression> => {
      loads += 1;
      return loading.promise;
    };
    started({}, { loadCompression }).says(srv());
    expect(loads).toBe(0);
    const { line, told, says } = started({}, { loadCompression });
    says(srv({ caps }));
    await microtasks();
    expect([loads, line.sent, told]).toEqual([1, [], ['proven']]);
    says(writeText({ t: 'err', c: 'BUSY', m: '', temp: true }));
    loading.resolve(makeCompression);
    await microtasks();
    expect(framesOn(line)).toMatchObject([{ t: 'hello', caps }]);
  });

  test('that is being loaded leaves no hello to be answered: a welcome breaks the protocol', async () => {
    const { told, says } = started({}, { loadCompression: () => deferred<MakeCompression>().promise });
    says(srv({ caps }), welcome());
    await microtasks();
    expect(told).toEqual(['proven', ['violated', 4001]]);
  });

  test('that cannot be loaded is done without', async () => {
    const { line, says } = started({}, { loadCompression: () => Promise.reject(new Error('offline')) });
    says(srv({ caps }));
    await microtasks();
    expect(framesOn(line)).toMatchObject([{ t: 'hello', caps: [] }]);
  });

  test('that is loaded too late says nothing on a link that is left', async () => {
    const loading = deferred<MakeCompression>();
    const { line, told, says, negotiation } = started({}, { loadCompression: () => loading.promise });
    says(srv({ caps }));
    negotiation.abandon();
    loading.resolve(makeCompression);
    await microtasks();
    expect([line.sent, told]).toEqual([[], ['proven']]);
  });
});
