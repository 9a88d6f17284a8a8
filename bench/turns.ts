/** How messages are spread over the turns of the event loop. */
export interface Shape {
  name: string;
  perTurn: number;
  /** From one turn to the next; 0: at once. */
  gapMs: number;
}

/** What sends messages. */
export interface Outlet {
  send(message: object): void;
}

/** What knows as well when they have arrived. */
export interface SettlingOutlet extends Outlet {
  /** Resolves when everything sent is where it belongs, as far as this end can know. */
  settled(): Promise<void>;
}

export const BURSTS: Shape = { name: '100 a turn', perTurn: 100, gapMs: 0 };
export const SMALL_BURSTS: Shape = { name: '10 a turn', perTurn: 10, gapMs: 0 };
/** The next one follows as soon as there is another turn. */
export const SINGLES: Shape = { name: '1 a turn', perTurn: 1, gapMs: 0 };
/** Far enough from each other that nothing has a reason to gather them. */
export const APART: Shape = { name: '1 a ms', perTurn: 1, gapMs: 1 };

/** Calls back once others have had their turn. */
export type Turn = (goOn: () => void) => void;

/** Sends messages in this shape. */
export async function pour(
  outlet: Outlet,
  messages: readonly object[],
  { perTurn, gapMs }: Shape,
  turn: Turn = setImmediate,
): Promise<void> {
  for (let sent = 0; sent < messages.length;) {
    for (const message of messages.slice(sent, sent + perTurn)) outlet.send(message);
    sent += perTurn;
    await new Promise<void>((resolve) => {
      if (gapMs > 0) setTimeout(resolve, gapMs);
      else turn(resolve);
    });
  }
}
