import type { Session, SessionReceipt } from 'holdfast/server';

import type { SettlingOutlet } from './turns.ts';

/** The server's end of a session. */
export function outletFor(session: Session): SettlingOutlet {
  let last: SessionReceipt | undefined;
  return {
    send: (message) => {
      last = session.send(message);
    },
    // acknowledgements are cumulative
    settled: async () => {
      await last?.settled;
    },
  };
}
