import { describe, expect, test } from 'vitest';
import { HoldfastError } from '../../src/index.ts';
import { Collector } from '../../src/metrics/collector.ts';
import type { MetricKey } from '../../src/metrics/catalog.ts';
import { FakeService, healthOf, sourceOf, statusOf, trafficOf } from './fake-service.ts';

interface Stage {
  service: FakeService;
  collector: Collector;
  measured: { metric: string; service: string; seconds: number }[];
  passes: (ms: number) => void;
}

function stage(): Stage {
  let nowMs = 1_000;
  const service = new FakeService();
  const measured: Stage['measured'] = [];
  const collector = new Collector(service, {
    now: () => nowMs,
    measured: (metric, type, seconds) => measured.push({ metric, service: type, seconds }),
  });
  const passes = (ms: number): void => {
    nowMs += ms;
  };
  return { service, collector, measured, passes };
}

/** The series of one metric: its labels beside `service`, and its value. */
function seriesOf({ collector }: Stage, metric: MetricKey): [service: string, labels: string, value: number][] {
  return collector
    .readings()
    .filter((reading) => reading.metric === metric)
    .map(({ labels: { service, ...labels }, value }) => [service, Object.values(labels).join(' '), value]);
}

describe('the collector', () => {
  test('counts transitions by where from and where to', () => {
    const scene = stage();
    scene.service.moves('terminal:a', 'idle', 'connecting', 'open', 'backoff', 'connecting', 'open');
    expect(seriesOf(scene, 'transitions')).toEqual([
      ['terminal', 'idle connecting', 1],
      ['terminal', 'connecting open', 2],
      ['terminal', 'open backoff', 1],
      ['terminal', 'backoff connecting', 1],
    ]);
  });

  test('times each way from connecting to open, and no wait between attempts', () => {
    const scene = stage();
    const { service, passes } = scene;
    service.moves('terminal:a', 'idle', 'connecting');
    passes(50);
    service.moves('terminal:a', 'connecting', 'backoff');
    passes(10_000);
    service.moves('terminal:a', 'backoff', 'connecting');
    passes(250);
    service.moves('terminal:a', 'connecting', 'open');
    passes(500);
    service.moves('terminal:a', 'open', 'degraded', 'open');
    expect(scene.measured).toEqual([{ metric: 'connectDuration', service: 'terminal', seconds: 0.25 }]);
  });

  test('times connections that connect at the same time each by itself', () => {
    const scene = stage();
    const { service, passes } = scene;
    service.moves('terminal:a', 'idle', 'connecting');
    passes(100);
    service.moves('chat:b', 'idle', 'connecting');
    passes(100);
    service.moves('terminal:a', 'connecting', 'open');
    service.moves('chat:b', 'connecting', 'open');
    expect(scene.measured.map(({ service: type, seconds }) => [type, seconds])).toEqual([
      ['terminal', 0.2],
      ['chat', 0.1],
    ]);
  });

  test('does not time what it did not see begin', () => {
    const scene = stage();
    scene.service.moves('terminal:a', 'connecting', 'open');
    expect(scene.measured).toEqual([]);
  });

  test('counts a return by what had ended the connection, and not by what failed on the way back', () => {
    const scene = stage();
    const { service } = scene;
    service.retries('terminal:a', 'CONNECTION_LOST');
    service.retries('terminal:a', 'HANDSHAKE_FAILED');
    service.opens('terminal:a', true);
    service.retries('terminal:a', 'LINK_DEAD');
    service.opens('terminal:a', true);
    expect(seriesOf(scene, 'reconnects')).toEqual([
      ['terminal', 'CONNECTION_LOST', 1],
      ['terminal', 'LINK_DEAD', 1],
    ]);
  });

  test('counts no return where a connection opens for the first time, whatever it took', () => {
    const scene = stage();
    scene.service.retries('terminal:a', 'HANDSHAKE_FAILED');
    scene.service.opens('terminal:a');
    expect(seriesOf(scene, 'reconnects')).toEqual([]);
    scene.service.retries('terminal:a', 'CONNECTION_LOST');
    scene.service.opens('terminal:a', true);
    expect(seriesOf(scene, 'reconnects')).toEqual([['terminal', 'CONNECTION_LOST', 1]]);
  });

  test('forgets what ended a connection when that has ended for good', () => {
    const scene = stage();
    scene.service.retries('terminal:a', 'CONNECTION_LOST');
    scene.service.moves('terminal:a', 'backoff', 'failed');
    scene.service.retries('terminal:a', 'LINK_DEAD');
    scene.service.opens('terminal:a', true);
    expect(seriesOf(scene, 'reconnects')).toEqual([['terminal', 'LINK_DEAD', 1]]);
  });

  test('says `none` where it saw nothing fail before a connection opened again', () => {
    const scene = stage();
    scene.service.opens('terminal:a', true);
    scene.service.retries('chat:b', null);
    scene.service.opens('chat:b', true);
    expect(seriesOf(scene, 'reconnects')).toEqual([
      ['terminal', 'none', 1],
      ['chat', 'none', 1],
    ]);
  });

  test('counts errors by code, under no service where they belong to none', () => {
    const scene = stage();
    scene.service.emit('error', new HoldfastError('HANDSHAKE_FAILED', sourceOf('terminal:a')));
    scene.service.emit('error', new HoldfastError('LISTENER_THREW'));
    expect(seriesOf(scene, 'errors')).toEqual([
      ['terminal', 'HANDSHAKE_FAILED', 1],
      ['', 'LISTENER_THREW', 1],
    ]);
  });

  test('measures round trips in seconds, and none that cannot be true', () => {
    const scene = stage();
    for (const rttMs of [20, NaN, -1, Infinity, 0]) {
      scene.service.emit('roundTrip', { ...sourceOf('terminal:a'), rttMs });
    }
    expect(scene.measured).toEqual([
      { metric: 'rtt', service: 'terminal', seconds: 0.02 },
      { metric: 'rtt', service: 'terminal', seconds: 0 },
    ]);
  });

  test('takes the totals of messages and bytes over, by direction and by reason', () => {
    const scene = stage();
    scene.service.traffic = {
      terminal: trafficOf({ messagesOut: 3, messagesIn: 4, bytesOut: 30, bytesIn: 40, dropped: { EXPIRED: 2 } }),
    };
    expect(seriesOf(scene, 'messages')).toEqual([
      ['terminal', 'out', 3],
      ['terminal', 'in', 4],
    ]);
    expect(seriesOf(scene, 'io').slice(0, 2)).toEqual([
      ['terminal', 'out', 30],
      ['terminal', 'in', 40],
    ]);
    expect(seriesOf(scene, 'droppedMessages')).toEqual([['terminal', 'EXPIRED', 2]]);
  });

  test('tells of no messages where nobody counts them, and of 0 where somebody does', () => {
    const scene = stage();
    scene.service.connections = [statusOf('terminal:a', 'open'), statusOf('chat:b', 'open')];
    scene.service.health = { chat: healthOf({ unknown: 1 }) };
    scene.service.traffic = { terminal: trafficOf({ dropped: { EXPIRED: 1 } }), chat: trafficOf({}) };
    expect(seriesOf(scene, 'messages')).toEqual([
      ['chat', 'out', 0],
      ['chat', 'in', 0],
    ]);
    expect(seriesOf(scene, 'droppedMessages')).toEqual([['terminal', 'EXPIRED', 1]]);
  });

  test('keeps the last totals of a service that tells no more of them', () => {
    const scene = stage();
    scene.service.traffic = { terminal: trafficOf({ messagesOut: 3 }) };
    scene.collector.readings();
    scene.service.traffic = {};
    expect(seriesOf(scene, 'messages')).toContainEqual(['terminal', 'out', 3]);
  });

  test('keeps the series of a service whose last connection is forgotten', () => {
    const scene = stage();
    scene.service.connections = [statusOf('terminal:a', 'open', 5)];
    scene.service.health = { terminal: healthOf({ healthy: 1, averageScore: 90 }) };
    expect(seriesOf(scene, 'health')).toEqual([['terminal', '', 0.9]]);
    scene.service.connections = [];
    scene.service.health = {};
    expect(seriesOf(scene, 'outboxMessages')).toEqual([['terminal', '', 0]]);
    expect(seriesOf(scene, 'connections').map(([, , value]) => value)).toEqual(new Array(8).fill(0));
    expect(seriesOf(scene, 'healthConnections').map(([, , value]) => value)).toEqual(new Array(4).fill(0));
    expect(seriesOf(scene, 'health')).toEqual([]);
  });

  test('tells of each type of service by itself, and of health where it is watched', () => {
    const scene = stage();
    scene.service.connections = [statusOf('terminal:a', 'open', 5), statusOf('chat:b', 'backoff', 7)];
    scene.service.health = { terminal: healthOf({ healthy: 1, averageScore: 90 }) };
    expect(seriesOf(scene, 'outboxMessages')).toEqual([
      ['terminal', '', 5],
      ['chat', '', 7],
    ]);
    expect(seriesOf(scene, 'healthConnections').map(([service]) => service)).toEqual(new Array(4).fill('terminal'));
  });

  test('leaves no listener behind when it stops, and counts no further', () => {
    const scene = stage();
    expect(scene.service.listeners).toBeGreaterThan(0);
    scene.service.moves('terminal:a', 'idle', 'connecting');
    scene.collector.stop();
    scene.collector.stop();
    scene.service.moves('terminal:a', 'idle', 'connecting');
    expect(scene.service.listeners).toBe(0);
    expect(seriesOf(scene, 'transitions')).toEqual([['terminal', 'idle connecting', 1]]);
  });

  test('names no connection in any label', () => {
    const scene = stage();
    const { service } = scene;
    service.connections = [statusOf('terminal:secret', 'backoff')];
    service.health = { terminal: healthOf({ critical: 1, averageScore: 0 }) };
    service.traffic = { terminal: trafficOf({ dropped: { EXPIRED: 1 } }) };
    service.moves('terminal:secret', 'idle', 'connecting', 'open');
    service.retries('terminal:secret', 'CONNECTION_LOST');
    service.opens('terminal:secret', true);
    service.emit('error', new HoldfastError('CONNECTION_LOST', { message: 'secret', ...sourceOf('terminal:secret') }));
    expect(scene.collector.readings().length).toBeGreaterThan(15);
    expect(JSON.stringify(scene.collector.readings())).not.toContain('secret');
  });
});
