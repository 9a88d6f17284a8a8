import { createServer } from 'node:http';
import { createHoldfastServer } from 'holdfast/server';
import { serveWebSockets } from 'holdfast/server/ws';
import type { WebSocket } from 'ws';

// a room: whatever somebody says is heard by all, once and in order, however often their links break
const holdfast = createHoldfastServer<WebSocket>({
  authenticate: ({ auth }) => (auth?.startsWith('I am ') ? { principal: auth.slice(5) } : null),
  onSession: (session) => {
    console.log(session.principal, 'came in');
    session.onMessage(({ data }) => {
      holdfast.broadcast({ from: session.principal, said: data });
    });
    session.onRequest(() => holdfast.sessions.map(({ principal }) => principal));
    session.on('detached', () => {
      console.log(session.principal, 'has lost the link, and is waited for');
    });
    session.on('ended', ({ why }) => {
      console.log(session.principal, 'has left:', why);
    });
  },
  onError: (error) => {
    console.error(error);
  },
});

const http = createServer((_, response) => response.writeHead(426).end());
serveWebSockets(holdfast, http, { path: '/room' });
http.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  console.log('listening on', http.address());
});

process.once('SIGTERM', () => {
  http.close();
  // the clients move on within 2 s, each at its own instant; who is still here after 5 s is closed
  void holdfast.drain({ spreadMs: 2_000, deadlineMs: 5_000, why: 'restart' }).then(() => holdfast.close());
});
