import type { Session, SessionReceipt } from 'holdfast/server';

import { Promises } from './peers/promises.ts';
import type { SettlingOutlet } from './turns.ts';

/** The server's end of a session. */
export function outletFor(session: Session): SettlingOutlet {
  let last: SessionReceipt | undefined;
  // one that resolves was kept
  const promises = new Promises<void>(() => true);
  return {
    send: (message) => {
      last = session.send(message);
      promises.made(last);
    },
    // acknowledgements are cumulative
    settled: async () => {
      await last?.settled;
      await promises.kept();
    },
  };
}
