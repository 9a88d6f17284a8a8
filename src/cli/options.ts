import { parseArgs } from 'node:util';

/** What the doctor is asked to do. */
export interface DoctorOptions {
  url: string;
  /** Subprotocols to offer, beside `holdfast.v1`. */
  protocols: readonly string[];
  headers: readonly (readonly [name: string, value: string])[];
  origin: string | null;
  pings: number;
  wireTimeoutMs: number;
  idleMs: number;
  timeoutMs: number;
  isInsecure: boolean;
  isStrict: boolean;
  isJson: boolean;
}

/** What was understood of a command line. */
export type Understood =
  { wish: 'help' } | { wish: 'examine'; options: DoctorOptions } | { wish: null; problem: string };

export const DOCTOR_HELP = `Usage: holdfast doctor [options] <url>

Says what a WebSocket endpoint does, step by step: address, name, network, TLS,
handshake, subprotocol, compression, wire, round trip, heartbeat, close, clock.
It sends no message and opens no session.

  --protocol <name>         offers this subprotocol as well; may be repeated
  --header 'Name: value'    sends this header; may be repeated
  --origin <origin>         connects as a page of this origin would
  --pings <n>               how many round trips to measure (default 5)
  --wire-timeout <seconds>  how long to wait for the greeting of a server that
                            selects holdfast.v1 (default 3)
  --idle <seconds>          also: does a silent connection last so long?
  --timeout <seconds>       of the whole run, beside --idle (default 15)
  --insecure                goes on in spite of a certificate that is not valid
  --json                    prints one JSON document
  --strict                  takes a warning for a failure: exit code 1
  --help                    prints this

Credentials, values of headers and of the query of the URL are not shown.

Exit codes: 0 passed, also with warnings; 1 warnings, with --strict; 2 failed;
64 wrong usage; 69 the package ws is missing; 130 interrupted.
`;

const MAX_SECONDS = 86_400;
const MAX_PINGS = 1_000;
const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/;
// the handshake's own, and those that tell the server who asks
const RESERVED =
  /^(connection|upgrade|host|sec-websocket-.*|user-agent|x-holdfast-diagnostics|content-length|transfer-encoding)$/i;

/** Reads the arguments that follow `doctor`. What is wrong is told without any value, for it may be a secret. */
export function readOptions(args: readonly string[]): Understood {
  try {
    return understand(args);
  } catch (error) {
    return { wish: null, problem: (error as Error).message.split('. ')[0]?.replace(/\.?$/, '.') ?? '' };
  }
}

function understand(args: readonly string[]): Understood {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      protocol: { type: 'string', multiple: true, default: [] },
      header: { type: 'string', multiple: true, default: [] },
      origin: { type: 'string' },
      pings: { type: 'string', default: '5' },
      'wire-timeout': { type: 'string', default: '3' },
      idle: { type: 'string', default: '0' },
      timeout: { type: 'string', default: '15' },
      insecure: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return { wish: 'help' };
  const [url, ...more] = positionals;
  if (url === undefined) throw new Error('The URL is missing.');
  if (more.length > 0) throw new Error('There is more than one URL.');
  return {
    wish: 'examine',
    options: {
      url,
      protocols: [...new Set(values.protocol.map(protocolOf))],
      headers: values.header.map(headerOf),
      origin: values.origin === undefined ? null : originOf(values.origin),
      pings: number('pings', values.pings, { min: 0, max: MAX_PINGS, whole: true }),
      wireTimeoutMs: seconds('wire-timeout', values['wire-timeout']),
      idleMs: seconds('idle', values.idle),
      timeoutMs: seconds('timeout', values.timeout, 0.1),
      isInsecure: values.insecure,
      isStrict: values.strict,
      isJson: values.json,
    },
  };
}

function protocolOf(name: string): string {
  if (!TOKEN.test(name)) throw new Error('--protocol takes the name of one subprotocol.');
  return name;
}

function headerOf(text: string): [name: string, value: string] {
  const [, name = '', value = ''] = /^([^:]+):[ \t]*(.*?)[ \t]*$/.exec(text) ?? [];
  // Source: RFC 9110, section 5.5
  if (!TOKEN.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) throw new Error("--header takes 'Name: value'.");
  if (RESERVED.test(name)) throw new Error(`--header cannot set ${name}: the handshake does.`);
  return [name, value];
}

function originOf(text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text)) throw new Error('--origin takes an origin such as https://example.com.');
  return text;
}

function seconds(name: string, text: string, min = 0): number {
  return number(name, text, { min, max: MAX_SECONDS, whole: false }) * 1_000;
}

function number(name: string, text: string, { min, max, whole }: { min: number; max: number; whole: boolean }): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
  throw new Error(`--${name} takes ${whole ? 'a whole number' : 'a number of seconds'} from ${min} to ${max}.`);
}
