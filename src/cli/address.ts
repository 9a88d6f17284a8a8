import { BlockList, isIP } from 'node:net';

import { shownUrl } from './secrecy.ts';
import type { Finding } from './step.ts';

/** Where an examination goes. */
export interface Target {
  url: URL;
  /** A name, or an address without brackets. */
  hostname: string;
  port: number;
  isSecure: boolean;
}

const SCHEMES: Readonly<Record<string, string>> = { 'http:': 'ws:', 'https:': 'wss:', 'ws:': 'ws:', 'wss:': 'wss:' };
const PRIVATE = new BlockList();
// RFC 1122, 1918, 3927, 4193, 4291, 6598
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
] as const)
  PRIVATE.addSubnet(net, prefix);
for (const [net, prefix] of [
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  PRIVATE.addSubnet(net, prefix);
for (const [net, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  PRIVATE.addSubnet(net, prefix, 'ipv6');
const PRIVATE_NAME = /(^|\.)(localhost|local|internal|lan|test|home\.arpa)\.?$/i;

/** Reads a URL that a WebSocket can be opened to: `ws:` and `wss:`, and `http:` and `https:` as the same. */
export function readAddress(text: string): Finding & { target: Target | null } {
  const url = parse(text);
  if (!url) return wrong('no URL: it cannot be parsed');
  const scheme = SCHEMES[url.protocol];
  if (scheme === undefined) return wrong('its scheme is none of ws, wss, http and https');
  url.protocol = scheme;
  if (url.hash !== '')
    return wrong('a WebSocket URL has no fragment', 'Leave out what begins with #, or write it as %23.');
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const isSecure = scheme === 'wss:';
  const target = { url, hostname, isSecure, port: Number(url.port) || (isSecure ? 443 : 80) };
  const facts = { host: hostname, port: target.port, isSecure };
  const detail = shownUrl(url);
  if (isSecure || isPrivate(hostname)) return { verdict: 'passed', detail, facts, target };
  return {
    verdict: 'warning',
    detail: `${detail}: not encrypted`,
    facts,
    advice: 'Use wss: for a host on the public network: what ws: carries can be read and changed on its way.',
    target,
  };
}

/** Whether a host is this machine, or one of a network that is not the public one, by its name or address. */
export function isPrivate(hostname: string): boolean {
  const family = isIP(hostname);
  if (family !== 0) return PRIVATE.check(hostname, family === 6 ? 'ipv6' : 'ipv4');
  return !hostname.replace(/\.$/, '').includes('.') || PRIVATE_NAME.test(hostname);
}

function parse(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

function wrong(detail: string, advice = 'Give a URL such as wss://example.com/ws.'): Finding & { target: null } {
  return { verdict: 'failed', detail, advice, target: null };
}
