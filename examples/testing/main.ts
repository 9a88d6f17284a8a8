import { EnhancedWebSocketService } from 'holdfast';
import { SimulatedClock, SimulatedNetwork, SimulatedServer, simulate } from 'holdfast/testing';

// a scene of your own: the real client and the real server, in a time that passes when it is told to
const clock = new SimulatedClock();
const server = new SimulatedServer({
  clock,
  serve: () => ({
    authenticate: () => ({ principal: 'ann' }),
    onSession: (session) => session.onMessage(({ data }) => console.log(`the server has ${String(data)}`)),
  }),
});
server.start();
const network = new SimulatedNetwork({ clock, host: () => server });
const service = new EnhancedWebSocketService({
  services: { chat: { url: 'ws://anywhere', wire: 'required' } },
  WebSocket: network.WebSocket,
  clock: network.device.clock,
  signals: network.device.signals,
  random: network.chance.draw,
});
void service.connect({ serviceType: 'chat' }); // nothing happens until time passes: to await it here would be for ever
await clock.advanceAsync(1_000);

network.live[0]?.silence(); // nothing gets through any more, and nobody is told
const chat = service.connection('chat');
const receipt = chat.send('hello');
await clock.advanceAsync(60_000); // a minute, at once
console.log(`${chat.status.state} again on socket ${network.sockets.length}: hello is ${receipt.fate}`);
void service.destroy();
await clock.advanceAsync(10_000);

// and many seeds, each with faults of its own: your options, your code, your rules
for (let seed = 1; seed <= 10; seed++) {
  const { breach, again, history } = await simulate({
    seed,
    service: { retry: { capMs: 5_000 }, wire: 'required' },
    join: ({ service, fail }) => {
      service.on('retrying', ({ delayMs, waitingFor }) => {
        if (waitingFor === 'delay' && delayMs > 5_000) fail(`a wait of ${delayMs} ms`);
      });
    },
  });
  if (breach !== null)
    throw new Error(`${breach}\n${history}\nAgain: simulate({ ...${JSON.stringify(again)}, service, join })`);
}
console.log('every promise was kept');
