/** How many connections speak `holdfast.v1`; they have the first numbers. */
export const WIRE_CONNECTIONS = 10;
/** How many speak plain. */
export const PLAIN_CONNECTIONS = 10;
