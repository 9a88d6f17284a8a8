import { describe, expect, test } from 'vitest';
import { createMetrics, type Metrics } from '../../src/metrics/index.ts';
import { nodeSockets } from '../support/fake-socket.ts';
import { WireRig } from '../support/server-script.ts';
import { rig, Rig, TERMINAL, type RigOptions } from '../support/service.ts';
import { samplesIn, valuesIn } from './parsed.ts';

interface Stage {
  scene: Rig;
  metrics: Metrics;
  /** The values of a metric now. */
  read: (metric: string) => Record<string, number>;
}

function stage(options: RigOptions = {}, scene = rig(options)): Stage {
  const metrics = createMetrics(scene.service, { now: () => scene.clock.now() });
  return { scene, metrics, read: (metric) => valuesIn(metrics.prometheus(), metric) };
}

describe('the metrics of a service', () => {
  test('are none before it has a connection', () => {
    expect(stage().metrics.prometheus()).toBe('');
  });

  test('follow a connection that opens after two attempts, is lost, and comes back', async () => {
    const { scene, read } = stage();
    const opened = scene.service.connect(TERMINAL);
    await scene.settle();
    scene.sockets.last.ends();
    await scene.passBackoff();
    await scene.clock.advanceAsync(250);
    scene.sockets.last.opens();
    await opened;
    scene.sockets.last.ends();
    await scene.settle();
    expect(read('holdfast_connections')).toMatchObject({ 'terminal backoff': 1, 'terminal open': 0 });
    await scene.reopen();
    expect(read('holdfast_connections')).toMatchObject({ 'terminal backoff': 0, 'terminal open': 1 });
    expect(read('holdfast_reconnects_total')).toEqual({ 'terminal CONNECTION_LOST': 1 });
    expect(read('holdfast_errors_total')).toEqual({ 'terminal HANDSHAKE_FAILED': 1, 'terminal CONNECTION_LOST': 1 });
    expect(read('holdfast_transitions_total')).toMatchObject({
      'terminal connecting backoff': 1,
      'terminal backoff connecting': 2,
      'terminal connecting open': 2,
    });
    expect(read('holdfast_connect_duration_seconds_count')).toEqual({ terminal: 2 });
    expect(read('holdfast_connect_duration_seconds_sum')).toEqual({ terminal: 0.25 });
  });

  test('count messages and bytes both ways, what waits and what is dropped', async () => {
    const { scene, read } = stage({ terminal: { queue: { maxMessages: 1, overflow: 'drop-oldest' } } });
    const { connection, socket } = await scene.open();
    connection.send('12345');
    await scene.settle();
    socket.says('ünï');
    expect(read('holdfast_messages_total')).toEqual({ 'terminal out': 1, 'terminal in': 1 });
    expect(read('holdfast_io_bytes_total')).toEqual({ 'terminal out': 5, 'terminal in': 5 });
    socket.ends();
    await scene.settle();
    for (const message of ['a', 'b', 'c']) connection.send(message);
    expect(read('holdfast_outbox_messages')).toEqual({ terminal: 1 });
    expect(read('holdfast_dropped_messages_total')).toEqual({ 'terminal DROPPED_FOR_ROOM': 2 });
  });

  test('measure round trips and health', async () => {
    const { scene, read } = stage({}, new Rig(nodeSockets(), {}));
    await scene.open();
    const socket = scene.sockets.last as unknown as { pings: number; controls(event: string): void };
    while (socket.pings === 0) await scene.clock.advanceAsync(100);
    await scene.clock.advanceAsync(40);
    socket.controls('pong');
    await scene.settle();
    expect(read('holdfast_rtt_seconds_count')).toEqual({ terminal: 1 });
    expect(read('holdfast_rtt_seconds_bucket')).toMatchObject({ 'terminal 0.025': 0, 'terminal 0.05': 1 });
    expect(read('holdfast_health_ratio')['terminal']).toBeGreaterThan(0.9);
    const grades = Object.values(read('holdfast_health_connections'));
    expect([grades.length, grades.reduce((sum, count) => sum + count, 0)]).toEqual([4, 1]);
  });

  test('grade the connections of each type of service by themselves', async () => {
    const { scene, read } = stage();
    await scene.open();
    await scene.open({ serviceType: 'chat' });
    scene.sockets.last.ends();
    await scene.settle();
    const grades = read('holdfast_health_connections');
    expect(grades).toMatchObject({
      'terminal unknown': 1,
      'terminal critical': 0,
      'chat unknown': 0,
      'chat critical': 1,
    });
    expect(read('holdfast_health_ratio')).toEqual({ chat: 0 });
    expect(scene.service.getHealthInfo().byService).toMatchObject({ terminal: { total: 1 }, chat: { total: 1 } });
  });

  test('leave out what nobody measures while health is not monitored, and tell the rest', async () => {
    const { scene, metrics, read } = stage({ enableHealthMonitoring: false });
    const { connection, socket } = await scene.open();
    connection.send('12345');
    await scene.settle();
    socket.ends();
    await scene.reopen();
    const names = new Set(samplesIn(metrics.prometheus()).map(({ name }) => name.replace(/_(bucket|sum|count)$/, '')));
    expect([...names]).toEqual([
      'holdfast_connections',
      'holdfast_transitions_total',
      'holdfast_reconnects_total',
      'holdfast_errors_total',
      'holdfast_connect_duration_seconds',
      'holdfast_outbox_messages',
    ]);
    expect(read('holdfast_reconnects_total')).toEqual({ 'terminal CONNECTION_LOST': 1 });
  });

  test('keep the last totals of a service that is destroyed, and throw nothing', async () => {
    const { scene, metrics, read } = stage();
    const { connection } = await scene.open();
    connection.send('12345');
    await scene.settle();
    await scene.destroy();
    expect(read('holdfast_messages_total')).toEqual({ 'terminal out': 1, 'terminal in': 0 });
    expect(read('holdfast_transitions_total')).toMatchObject({ 'terminal connecting open': 1 });
    expect(Object.values(read('holdfast_connections'))).toEqual(new Array(8).fill(0));
    expect(read('holdfast_outbox_messages')).toEqual({ terminal: 0 });
    metrics.stop();
    expect(read('holdfast_messages_total')).toEqual({ 'terminal out': 1, 'terminal in': 0 });
    expect(createMetrics(scene.service).prometheus()).toContain('holdfast_messages_total');
  });

  test('count no further once they are stopped, while the service goes on', async () => {
    const { scene, metrics, read } = stage();
    metrics.stop();
    await scene.open();
    expect(read('holdfast_transitions_total')).toEqual({});
    expect(read('holdfast_connections')).toMatchObject({ 'terminal open': 1 });
    expect(scene.bugs).toEqual([]);
  });

  test.each(['"} 1\n\\', 'constructor', '__proto__'])('call a service %j as it is called', async (name) => {
    const services = Object.fromEntries([[name, { url: 'wss://host/any' }]]);
    for (const enableHealthMonitoring of [true, false]) {
      const { scene, metrics, read } = stage({ services, enableHealthMonitoring });
      const { connection } = await scene.open({ serviceType: name });
      connection.send('12345');
      await scene.settle();
      expect(read('holdfast_connections')).toHaveProperty([`${name} open`], 1);
      expect(Object.values(read('holdfast_health_connections'))).toEqual(enableHealthMonitoring ? [1, 0, 0, 0] : []);
      for (const { labels } of samplesIn(metrics.prometheus())) expect(labels['service']).toBe(name);
    }
  });

  test('count a return that nothing had failed before as what it is: a move to another server', async () => {
    const scene = new WireRig();
    const { read } = stage({}, scene);
    const { server } = await scene.join({ ping: { iv: 600_000, to: 10_000 } });
    server.says({ t: 'away', in: 30_000, spread: 10_000 });
    await scene.clock.advanceAsync(10_000);
    const next = await scene.opens();
    next.srv({ node: 'n2' });
    await scene.settle();
    next.welcome({ sid: 's2', tok: 'k9', ep: 'e9', why: 'unknown' });
    await scene.settle();
    expect(read('holdfast_reconnects_total')).toEqual({ 'terminal none': 1 });
    expect(read('holdfast_errors_total')).toEqual({});
  });
});
