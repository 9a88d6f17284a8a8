/** What a command reads of the world, and where it writes. */
export interface Terminal {
  print: (text: string) => void;
  /** Prints what is not the result. */
  complain: (text: string) => void;
  /** Columns; of what is no terminal, 80. */
  width: number;
  isColoured: boolean;
  /** Whether what is printed goes to no terminal: then what is one line by its nature, as a record is, is neither cut nor folded. @default false */
  isPiped?: boolean;
  /** Whether somebody watches what is complained of, so that a line of it may be written over. @default false */
  isWatched?: boolean;
  /** Aborts on Ctrl-C, and when nobody reads any more. */
  signal: AbortSignal;
}
