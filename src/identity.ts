import type { InboundData } from './errors.ts';
import type { ConnectOptions, ServiceOptions } from './options.ts';
import type { Profile } from './protocol/profile.ts';

declare const service: unique symbol;

/** The id of a connection: a string, that remembers for TypeScript which service type it belongs to. */
export type ConnectionId<Type extends string = string> = string & { readonly [service]: Type };

/** Service types with their options. */
export type Services = Record<string, ServiceOptions>;

/** What subscribers of a service get: as its profile says, or what arrived. */
export type InboundOf<Options> = Options extends { profile: Profile<infer In> } ? In : InboundData;
/** What may be sent to a service: as its profile says, or anything. */
export type OutboundOf<Options> = Options extends { profile: Profile<unknown, infer Out> } ? Out : unknown;

/** What subscribers of the connection with this id get; of a mere string no more is known than of a service without a profile. */
export type InboundAt<Types extends Services, Id> =
  Id extends ConnectionId<infer Type> ? InboundOf<Types[Type]> : InboundData;
/** What may be sent to the connection with this id. */
export type OutboundAt<Types extends Services, Id> =
  Id extends ConnectionId<infer Type> ? OutboundOf<Types[Type]> : unknown;

/** What the service's methods call the connection that is wanted. */
export function idOf({ serviceType, terminalId, sessionId, key }: ConnectOptions): string {
  const parts = [serviceType, terminalId, sessionId && `session=${sessionId}`, key && `key=${key}`];
  return parts.filter((part) => part !== undefined).join(':');
}

/** What tells apart two wishes for the same id that cannot share a connection. */
export function wishOf({ terminalId, sessionId, key, params = {} }: ConnectOptions): string {
  return JSON.stringify([terminalId, sessionId, key, Object.entries(params).sort()]);
}
