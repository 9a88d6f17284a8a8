import { isolated } from './core/isolation.ts';
import { FaultError, HoldfastError, type ErrorCategory, type ErrorCode } from './errors.ts';

/** What people are told: by category, and by code where a category is too coarse. `{service}` is replaced by the label of the service. */
export const USER_MESSAGES = {
  connection_failed: 'A connection to {service} could not be made.',
  network_error: 'The connection to {service} was interrupted.',
  timeout: '{service} did not answer in time.',
  service_unavailable: '{service} is not available at the moment.',
  rate_limited: '{service} is busy. Please wait a moment.',
  authentication_failed: 'Signing in to {service} failed. Please sign in again.',
  permission_denied: 'You have no access to {service}.',
  resource_not_found: '{service} could not find what was asked for.',
  protocol_error: 'This application and {service} do not understand each other. An update may help.',
  invalid_message: 'A message to or from {service} could not be processed.',
  configuration: 'This application is not set up correctly for {service}.',
  queue: 'A message to {service} was not sent.',
  lifecycle: 'The connection to {service} was closed.',
  migration: '{service} could not be switched to its new connection.',
  fault: 'Something went wrong with {service}.',
  CONNECTION_LIMIT: 'Too many connections to {service} are open. Please try again later.',
  CREDENTIALS_FAILED: 'Signing in to {service} failed.',
  CREDENTIALS_TIMEOUT: 'Signing in to {service} took too long.',
  MESSAGE_TOO_BIG: 'The message is too large for {service}.',
  MESSAGE_REJECTED: '{service} did not accept the message.',
  REQUEST_REFUSED: '{service} did not accept the request.',
  QUEUE_FULL: 'Too many messages are waiting for {service}. Please try again later.',
  EXPIRED: 'A message waited too long for {service}, and was not sent.',
  SEND_CANCELLED: 'A message to {service} was taken back.',
  SEND_ABORTED: 'A message to {service} was taken back.',
  SUPERSEDED: 'A message to {service} was replaced by a newer one.',
  PURGED: 'A message to {service} was taken back.',
  OUTCOME_UNKNOWN: 'It is not known whether {service} has received a message.',
  REPLY_LOST:
    'The connection to {service} was lost before it answered. It is not known whether it has acted on the request.',
  CONNECT_ABORTED: 'Connecting to {service} was cancelled.',
  REQUEST_ABORTED: 'The request to {service} was cancelled.',
  DIAGNOSTICS_ABORTED: 'The diagnosis of {service} was cancelled.',
  DRAIN_ABORTED: 'Waiting for messages to {service} to be sent was cancelled.',
  DRAIN_DEADLINE: 'Messages to {service} are still waiting to be sent.',
  ITERATION_OVERFLOW: 'Messages from {service} came faster than they were read.',
} as const satisfies Record<ErrorCategory, string> & Partial<Record<ErrorCode, string>>;

/** Messages of the application's own: a text in which `{service}` is the label, or a function that makes one. */
export type UserMessages = Partial<
  Record<ErrorCode | ErrorCategory, string | ((error: HoldfastError, label: string) => string)>
>;

/** How an error is told to people. */
export interface Description {
  /** What they call the service. */
  label: string;
  /** Asked before {@link USER_MESSAGES}: by code, then by category. @default {} */
  messages?: UserMessages | undefined;
  /** Hears what a function among the messages throws; the default is used then. @default nobody */
  report?: ((cause: unknown) => void) | undefined;
}

const DEFAULTS: Record<ErrorCategory, string> & Partial<Record<ErrorCode, string>> = USER_MESSAGES;

/**
 * What people are told of an error. Of the error's own words, which may quote a peer, a default message has none. Whatever else was caught is told as a bug,
 * of which it is the `cause`.
 */
export function describeError(caught: unknown, { label, messages = {}, report = ignore }: Description): string {
  const error = holdfastError(caught);
  const { code, category } = error;
  const own = messages[code] ?? messages[category];
  const text = typeof own === 'function' ? made(() => own(error, label), report) : own;
  // as a function: a label may hold what `replaceAll` would read as a pattern
  return (text ?? DEFAULTS[code] ?? DEFAULTS[category]).replaceAll('{service}', () => label);
}

/** What was caught, as an error of Holdfast: what is none was thrown by other code. */
export function holdfastError(caught: unknown): HoldfastError {
  return caught instanceof HoldfastError ? caught : new FaultError('LISTENER_THREW', { cause: caught });
}

function made(make: () => unknown, report: (cause: unknown) => void): string | undefined {
  let text: string | undefined;
  const ask = (): unknown => {
    const answer = make();
    if (typeof answer === 'string') text = answer;
    else report(new TypeError('A function of the option `userMessages` gave no text.'));
    // of a promise only the rejection is heard
    return answer;
  };
  isolated(ask, [], report);
  return text;
}

function ignore(): void {}
