import { describe, expect, test } from 'vitest';
import { createMetrics } from '../../src/metrics/prometheus.ts';
import { FakeService, sourceOf, statusOf, trafficOf } from './fake-service.ts';
import { valuesIn } from './parsed.ts';

describe('metrics of a service', () => {
  test('are what it has done, and what it is when they are asked for', () => {
    let nowMs = 0;
    const service = new FakeService();
    const metrics = createMetrics(service, { now: () => nowMs });
    expect(metrics.prometheus()).toBe('');

    service.connections = [statusOf('terminal:a', 'connecting', 3)];
    service.traffic = { terminal: trafficOf({ messagesOut: 9 }) };
    service.moves('terminal:a', 'idle', 'connecting');
    nowMs = 240;
    service.moves('terminal:a', 'connecting', 'open');
    service.emit('roundTrip', { ...sourceOf('terminal:a'), rttMs: 12.5 });

    const text = metrics.prometheus();
    expect(valuesIn(text, 'holdfast_connections')).toMatchObject({ 'terminal connecting': 1, 'terminal open': 0 });
    expect(valuesIn(text, 'holdfast_messages_total')).toEqual({ 'terminal out': 9, 'terminal in': 0 });
    expect(valuesIn(text, 'holdfast_outbox_messages')).toEqual({ terminal: 3 });
    expect(valuesIn(text, 'holdfast_connect_duration_seconds_sum')).toEqual({ terminal: 0.24 });
    expect(valuesIn(text, 'holdfast_rtt_seconds_sum')).toEqual({ terminal: 0.0125 });
    expect(valuesIn(text, 'holdfast_rtt_seconds_bucket')).toMatchObject({ 'terminal 0.01': 0, 'terminal 0.025': 1 });
  });

  test('time by the clock of the platform where they are given none', () => {
    const service = new FakeService();
    const metrics = createMetrics(service);
    service.moves('terminal:a', 'idle', 'connecting', 'open');
    const { terminal } = valuesIn(metrics.prometheus(), 'holdfast_connect_duration_seconds_sum');
    expect(terminal).toBeGreaterThanOrEqual(0);
    expect(terminal).toBeLessThan(5);
  });

  test('leave no listener behind when they stop, and keep what they had counted', () => {
    const service = new FakeService();
    const metrics = createMetrics(service);
    service.moves('terminal:a', 'idle', 'connecting');
    metrics.stop();
    expect(service.listeners).toBe(0);
    service.moves('terminal:a', 'idle', 'connecting');
    expect(valuesIn(metrics.prometheus(), 'holdfast_transitions_total')).toEqual({ 'terminal idle connecting': 1 });
  });

  test('of two collectors on one service do not disturb each other', () => {
    const service = new FakeService();
    const [first, second] = [createMetrics(service), createMetrics(service)];
    service.moves('terminal:a', 'idle', 'connecting');
    first.stop();
    service.moves('terminal:a', 'idle', 'connecting');
    expect(valuesIn(first.prometheus(), 'holdfast_transitions_total')).toEqual({ 'terminal idle connecting': 1 });
    expect(valuesIn(second.prometheus(), 'holdfast_transitions_total')).toEqual({ 'terminal idle connecting': 2 });
  });
});
