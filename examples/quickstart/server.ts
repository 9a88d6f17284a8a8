import { WebSocketServer } from 'ws';

/** A server that sends back what it receives, for the quick start. */
const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.env['PORT'] ?? 8080) });
server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => {
    socket.send(data, { binary: isBinary });
  });
});
server.on('listening', () => {
  console.log('echoing on', server.address());
});
