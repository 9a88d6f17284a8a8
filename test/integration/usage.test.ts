import { expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';

import { EnhancedWebSocketService } from '../../src/index.ts';
import { until } from '../support/deadline.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { audited } from '../support/audited.ts';

interface Places {
  terminal: TestServer;
  chat: TestServer;
  main: TestServer;
}

async function startPlaces(): Promise<Places> {
  const [terminal, chat, main] = await Promise.all([startServer(), startServer(), startServer()]);
  return { terminal, chat, main };
}

test('the first example of the documentation does what it says', async () => {
  vi.stubGlobal('WebSocket', WebSocket);
  const { terminal, chat, main } = await startPlaces();
  const enhancedService = new EnhancedWebSocketService({
    services: {
      terminal: { url: ({ terminalId = '' }) => `${terminal.url}/ws/terminal/${terminalId}` },
      chat: { url: chat.url },
      main: { url: main.url },
    },
    enableMessageQueue: true,
    enableHealthMonitoring: true,
    enableAutoRecovery: true,
  });
  audited(enhancedService);
  try {
    const connectionId = await enhancedService.connect({ serviceType: 'terminal', terminalId: 'my-terminal' });
    await enhancedService.sendMessage(connectionId, { type: 'input', data: 'ls -la' });

    await until('the message is there', () => terminal.received.length === 1);
    expect(terminal.received).toEqual(['{"type":"input","data":"ls -la"}']);
    expect(terminal.requests.map(({ url }) => url)).toEqual(['/ws/terminal/my-terminal']);
    expect(connectionId).toBe('terminal:my-terminal');
    expect([chat.accepted, main.accepted]).toEqual([0, 0]);
  } finally {
    await enhancedService.destroy();
    vi.unstubAllGlobals();
  }
  await until('no connection is left', () => terminal.tcp.size === 0);
});

test('three services run side by side in one, and each message goes to its own', async () => {
  const places = await startPlaces();
  const service = new EnhancedWebSocketService({
    WebSocket,
    services: {
      terminal: { url: places.terminal.url },
      chat: { url: places.chat.url },
      main: { url: places.main.url },
    },
  });
  audited(service);
  try {
    const ids = await Promise.all(
      (['terminal', 'chat', 'main'] as const).map((serviceType) => service.connect({ serviceType })),
    );
    for (const id of ids) await service.sendMessage(id, `for ${id}`);
    for (const [name, place] of Object.entries(places)) {
      await until('the message is there', () => (place as TestServer).received.length === 1);
      expect((place as TestServer).received).toEqual([`for ${name}`]);
    }
    expect(service.getConnections().map(({ state }) => state)).toEqual(['open', 'open', 'open']);
  } finally {
    await service.destroy();
  }
});

test.each([
  ['the queue', { enableMessageQueue: false }, 'NOT_OPEN'],
  ['recovery', { enableAutoRecovery: false }, 'CONNECTION_ENDED'],
])('a message over a lost connection is refused with %s switched off', async (_, options, code) => {
  const server = await startServer();
  const service = new EnhancedWebSocketService({ WebSocket, services: { main: { url: server.url } }, ...options });
  audited(service);
  try {
    const id = await service.connect({ serviceType: 'main' });
    const lost = new Promise((resolve) => service.on('closed', resolve));
    server.terminate();
    await lost;
    await expect(service.sendMessage(id, 'hello')).rejects.toMatchObject({ code, outcome: 'not_sent' });
  } finally {
    await service.destroy();
  }
});
