import { EnhancedWebSocketService, jsonProfile } from 'holdfast';
import WebSocket from 'ws'; // browsers have their own: leave this line and the option out

const name = process.argv[2] ?? 'ann';
const service = new EnhancedWebSocketService({
  services: {
    room: {
      url: process.env['ROOM_URL'] ?? 'ws://127.0.0.1:8080/room',
      wire: 'required',
      credentials: () => `I am ${name}`,
      profile: jsonProfile,
    },
  },
  WebSocket,
});
service.on('discontinuity', ({ why, inDoubt }) => console.log('another session:', why, inDoubt, 'messages in doubt'));

const id = await service.connect({ serviceType: 'room' });
const room = service.connection(id);
room.subscribe((message) => console.log('heard', message));

console.log('here are', await room.request('who is here?'));
console.log('said it:', (await room.send('hello').settled).outcome); // acknowledged: the server's application has it
await service.destroy();
