import type { LookupAddress } from 'node:dns';
import { isIP, type Socket } from 'node:net';

import { lookUp, reach, secure } from './network.ts';
import { chosen, judgeAttempts, judgeInsecurity, judgeLookup, judgeSecurity } from './route.ts';
import type { Scene } from './scene.ts';

/** A connection to the host, and the way to another one like it. */
export interface Passage {
  stream: Socket;
  /** Connects once more, to the same address; null: it cannot. */
  again(): Promise<Socket | null>;
}

/** Goes as far as a connection to ask for a WebSocket on, and notes what it finds on the way: name, network, TLS. */
export async function travel(scene: Scene): Promise<Passage | null> {
  const addresses = await findAddresses(scene);
  const reached = addresses && (await reachOne(scene, addresses));
  const stream = reached && (await secureOne(scene, reached.socket));
  if (!stream) return null;
  return { stream, again: () => repeat(scene, reached.address) };
}

async function findAddresses({ target, journal, signal }: Scene): Promise<readonly LookupAddress[] | null> {
  const { hostname } = target;
  const family = isIP(hostname);
  if (family !== 0) {
    journal.note('name', { verdict: 'skipped', detail: 'the URL has an address' });
    return [{ address: hostname, family }];
  }
  const { lookup } = await journal.take('name', async () => {
    const lookup = await lookUp(hostname, signal);
    return { ...judgeLookup(hostname, lookup), lookup };
  });
  return 'addresses' in lookup ? chosen(lookup.addresses) : null;
}

async function reachOne(
  { target, journal, signal }: Scene,
  addresses: readonly LookupAddress[],
): Promise<{ socket: Socket; address: LookupAddress } | null> {
  const { reached } = await journal.take('network', async () => {
    const { attempts, reached } = await reach(addresses, target.port, signal);
    return { ...judgeAttempts(attempts, target.port), reached };
  });
  return reached;
}

async function secureOne({ target, options, journal, signal }: Scene, tcp: Socket): Promise<Socket | null> {
  if (!target.isSecure) {
    journal.note('tls', { verdict: 'skipped', detail: 'ws: is not encrypted' });
    return tcp;
  }
  const { stream } = await journal.take('tls', async () => {
    const secured = await secure(tcp, target.hostname, signal);
    if ('failed' in secured) return { ...judgeInsecurity(secured.failed), stream: null };
    const finding = judgeSecurity(secured, { now: Date.now(), isInsecure: options.isInsecure });
    if (finding.verdict !== 'failed') return { ...finding, stream: secured.stream };
    secured.stream.destroy();
    return { ...finding, stream: null };
  });
  return stream;
}

// what was found the first time is not judged again
async function repeat({ target, signal }: Scene, address: LookupAddress): Promise<Socket | null> {
  const { reached } = await reach([address], target.port, signal);
  if (!reached || !target.isSecure) return reached?.socket ?? null;
  const secured = await secure(reached.socket, target.hostname, signal);
  return 'failed' in secured ? null : secured.stream;
}
