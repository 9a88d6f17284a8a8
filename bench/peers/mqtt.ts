import { Aedes } from 'aedes';
import { connectAsync, type MqttClient } from 'mqtt';
import { createWebSocketStream, WebSocketServer } from 'ws';

import { encoded, Replies, unknowable, type ClientEars, type ClientEnd, type Service } from './ends.ts';

export type Qos = 0 | 1;

/** A broker that is the application as well: what is published to it is heard, and it publishes to the only client that there is. */
export const service: Service = {
  serve: async (http, ears) => {
    const broker = await Aedes.createBroker();
    const server = new WebSocketServer({
      server: http,
      perMessageDeflate: false,
      handleProtocols: (protocols) => protocols.values().next().value ?? false,
    });
    server.on('connection', (socket, request) => {
      broker.handle(createWebSocketStream(socket), request);
    });
    // as reliably as the client has subscribed
    const publish = (payload: Buffer): void => {
      broker.publish({ cmd: 'publish', topic: 'down', payload, qos: 1, dup: false, retain: false }, () => undefined);
    };
    broker.on('publish', ({ topic, payload }, client) => {
      if (!client || !topic.startsWith('up')) return;
      const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
      if (ears.isEcho) publish(bytes);
      else ears.heard(topic === 'up/bytes' ? bytes : JSON.parse(bytes.toString()));
    });
    broker.on('subscribe', () => {
      ears.opened({
        send: (message) => {
          publish(Buffer.from(encoded(message)));
        },
        settled: unknowable,
      });
    });
  },
};

export async function openMqtt(
  url: string,
  { form, heard }: ClientEars,
  { qos, ...options }: { qos: Qos; reconnectPeriod?: number },
): Promise<ClientEnd> {
  const client: MqttClient = await connectAsync(url, options);
  const replies = new Replies();
  client.on('message', (_topic, payload) => {
    const message: unknown = form === 'bytes' ? payload : JSON.parse(payload.toString());
    if (!replies.take(message)) heard(message);
  });
  await client.subscribeAsync('down', { qos });
  const topic = form === 'bytes' ? 'up/bytes' : 'up/json';
  let open = 0;
  let rest: () => void = () => undefined;
  const send = (message: object): void => {
    open += 1;
    client.publish(topic, Buffer.from(encoded(message)), { qos }, () => {
      if (--open === 0) rest();
    });
  };
  return {
    send,
    ask: (message) => {
      const reply = replies.to(message);
      send(message);
      return reply;
    },
    settled: () => (open === 0 ? Promise.resolve() : new Promise((resolve) => (rest = resolve))),
    close: () => client.endAsync(),
  };
}
