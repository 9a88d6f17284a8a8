import { describe, expect, test } from 'vitest';

import { Link } from '../src/link.ts';
import type { FrameData, Transport, TransportEnd, TransportListener } from '../src/transport/transport.ts';

const END: TransportEnd = { code: 1006, reason: '', wasClean: false, initiator: 'network', detail: null };

function linked(): { link: Link; peer: TransportListener; told: unknown[]; disposals: () => number } {
  const told: unknown[] = [];
  let disposals = 0;
  let listener: TransportListener | undefined;
  const transport: Transport = {
    send: () => undefined,
    isOpen: true,
    bufferedBytes: 0,
    isCompressing: false,
    batch: (write) => {
      write();
    },
    ping: null,
    protocol: '',
    close: () => undefined,
    dispose: () => {
      disposals += 1;
    },
  };
  const link = new Link(
    (own) => {
      listener = own;
      return transport;
    },
    {
      opened: () => told.push('opened'),
      ended: (end, wasOpen) => told.push({ ...end, wasOpen }),
    },
  );
  return { link, peer: listener as unknown as TransportListener, told, disposals: () => disposals };
}

describe('a link', () => {
  test('keeps what comes before anybody reads, in order, for the first reader', () => {
    const { link, peer } = linked();
    const read: FrameData[] = [];
    peer.received('a');
    peer.received('b');
    link.read((data) => read.push(data));
    peer.received('c');
    expect(read).toEqual(['a', 'b', 'c']);
  });

  test('keeps nothing once its reader has gone', () => {
    const { link, peer } = linked();
    const read: FrameData[] = [];
    link.read(() => undefined);
    link.read(undefined);
    peer.received('dropped');
    link.read((data) => read.push(data));
    expect(read).toEqual([]);
  });

  test('held, keeps what its reader did not take, and what comes after it, for the next', () => {
    const { link, peer } = linked();
    const read: FrameData[] = [];
    link.read((data) => {
      read.push(data);
      if (data === 'b') link.hold(data);
    });
    for (const data of ['a', 'b', 'c']) peer.received(data);
    expect(read).toEqual(['a', 'b']);
    const next: FrameData[] = [];
    link.read((data) => next.push(data));
    peer.received('d');
    expect(next).toEqual(['b', 'c', 'd']);
  });

  test.each(['later', 'at once'])(
    'held by its reader in the middle of what waited, gives the rest to the next that comes %s',
    (when) => {
      const { link, peer } = linked();
      const read: FrameData[] = [];
      for (const data of ['a', 'b', 'c']) peer.received(data);
      const next = (data: FrameData): void => void read.push(`next ${data as string}`);
      link.read((data) => {
        read.push(data);
        link.hold();
        if (when === 'at once') link.read(next);
      });
      peer.received('d');
      if (when === 'later') link.read(next);
      expect(read).toEqual(['a', 'next b', 'next c', 'next d']);
    },
  );

  test('gives what comes while it hands over what waited after that', () => {
    const { link, peer } = linked();
    const read: FrameData[] = [];
    for (const data of ['a', 'b']) peer.received(data);
    link.read((data) => {
      read.push(data);
      if (data === 'a') peer.received('c');
    });
    expect(read).toEqual(['a', 'b', 'c']);
  });

  test('disposed of by its reader, gives nothing more to anybody', () => {
    const { link, peer } = linked();
    const read: FrameData[] = [];
    for (const data of ['a', 'b']) peer.received(data);
    link.read((data) => {
      read.push(data);
      link.dispose();
    });
    link.read((data) => read.push(data));
    expect(read).toEqual(['a']);
  });

  test('counts frames, pings and pongs as signs of life', () => {
    const { link, peer } = linked();
    peer.received('a');
    peer.heard();
    expect(link.signsOfLife).toBe(2);
  });

  test('calls back at the next sign of life, once, and not what was taken back', () => {
    const { link, peer } = linked();
    const heard: string[] = [];
    link.onceHeard(() => heard.push('one'));
    peer.heard();
    peer.heard();
    link.onceHeard(() => heard.push('taken back'))();
    peer.received('a');
    expect(heard).toEqual(['one']);
  });

  test('taking back an old callback leaves the new one', () => {
    const { link, peer } = linked();
    const heard: string[] = [];
    const takeBack = link.onceHeard(() => heard.push('old'));
    link.onceHeard(() => heard.push('new'));
    takeBack();
    peer.heard();
    expect(heard).toEqual(['new']);
  });

  test('tells at its end whether it had been open', () => {
    const refused = linked();
    refused.peer.ended(END);
    const lost = linked();
    lost.peer.opened();
    lost.peer.ended(END);
    expect([refused.told, lost.told]).toEqual([[{ ...END, wasOpen: false }], ['opened', { ...END, wasOpen: true }]]);
  });

  test('disposed of, has no transport, no reader and nobody to call back', () => {
    const { link, peer, disposals } = linked();
    const heard: unknown[] = [];
    link.read((data) => heard.push(data));
    link.onceHeard(() => heard.push('heard'));
    link.dispose();
    link.dispose();
    peer.received('late');
    expect([link.transport, heard, disposals()]).toEqual([undefined, [], 1]);
  });
});
