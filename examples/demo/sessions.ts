import { createHoldfastServer, type HoldfastServer, type Session } from 'holdfast/server';
import { attachWebSocketServer } from 'holdfast/server/ws';
import type { WebSocket, WebSocketServer } from 'ws';

import type { AppReport } from './server.ts';

/** What the demo needs of an endpoint on holdfast.v1. */
export interface Sessions {
  /** Sends the next message of its own accord, if anybody is there to hear it. */
  speak: () => void;
  stop: () => Promise<void>;
}

/** Serves holdfast.v1: tells which messages the application received, and echoes them. */
export function serveSessions(server: WebSocketServer, report: (report: AppReport) => void): Sessions {
  let session: Session | undefined;
  let said = 0;
  const send = (to: Session, data: unknown, what: 'news' | 'echo'): void => {
    to.send(data).settled.then(
      () => {
        report({ type: 'confirmed', what });
      },
      // one that is never confirmed is missed
      () => undefined,
    );
  };
  const holdfast: HoldfastServer<WebSocket> = createHoldfastServer({
    authenticate: () => ({ principal: 'demo' }),
    // once for all the sockets that it will have
    onSession: (opened) => {
      session = opened;
      opened.onMessage(({ data }) => {
        report({ type: 'received', number: (data as { n: number }).n });
        send(opened, data, 'echo');
      });
    },
    onError: (error) => {
      process.stderr.write(`${String(error)}\n`);
    },
  });
  attachWebSocketServer(holdfast, server);
  return {
    speak: () => {
      if (!session) return;
      said += 1;
      report({ type: 'said' });
      send(session, { type: 'news', text: 'Somebody came in.', n: said }, 'news');
    },
    stop: () => holdfast.close(),
  };
}
