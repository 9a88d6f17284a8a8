import { vi } from 'vitest';
import type { Incoming } from '../../src/core/ledger.ts';
import { ClientSession } from '../../src/core/session.ts';
import type { Flaws } from './world.ts';

/** A rule of the protocol that is switched off. */
export interface Mutation {
  what: string;
  /** What the check says of it. */
  shows: RegExp;
  /** What the store does. */
  flaws?: Flaws;
  /** Changes the classes; `vi.restoreAllMocks` takes that back. */
  apply?: () => void;
}

// instances of the client: the server has the same class
const clients = new WeakSet<Incoming>();

export function isClients(incoming: Incoming): boolean {
  return clients.has(incoming);
}

/** Learns which instances are the client's. */
export function learnClients(): void {
  const welcomed = methodOf(ClientSession.prototype, 'welcomed');
  vi.spyOn(ClientSession.prototype, 'welcomed').mockImplementation(function (this: ClientSession<never>, welcome) {
    clients.add(this.incoming);
    return welcomed.call(this, welcome);
  });
}

export function methodOf<Owner, Name extends keyof Owner>(prototype: Owner, name: Name): Owner[Name] {
  return prototype[name];
}

export function getterOf<Owner extends object, Name extends keyof Owner>(
  prototype: Owner,
  name: Name,
): (this: unknown) => Owner[Name] {
  const getter = Object.getOwnPropertyDescriptor(prototype, name);
  if (!getter) throw new Error(`There is no getter ${String(name)}.`);
  return function (this: unknown) {
    return getter.get?.call(this) as Owner[Name];
  };
}
