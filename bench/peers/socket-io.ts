import { Server } from 'socket.io';

import { unknowable, type Service } from './ends.ts';

export const service: Service = {
  serve: (http, ears) => {
    const server = new Server(http, { maxHttpBufferSize: 16_777_216 });
    server.on('connection', (socket) => {
      socket.on('message', (message: unknown, acknowledge?: () => void) => {
        ears.heard(message);
        acknowledge?.();
      });
      socket.on('ask', (message: unknown, answer: (message: unknown) => void) => {
        answer(message);
      });
      ears.opened({
        send: (message) => {
          socket.emit('message', message);
        },
        settled: unknowable,
      });
    });
  },
};
