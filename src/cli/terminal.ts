/** What a command reads of the world, and where it writes. */
export interface Terminal {
  print: (text: string) => void;
  /** Prints what is not the result. */
  complain: (text: string) => void;
  /** Columns; of what is no terminal, 80. */
  width: number;
  isColoured: boolean;
  /** Aborts on Ctrl-C, and when nobody reads any more. */
  signal: AbortSignal;
}
