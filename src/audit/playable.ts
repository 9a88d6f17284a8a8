import { isListOf, isObject, isText } from '../core/rules.ts';
import type { AuditRecord } from './record.ts';

/** Whether a record has what playing it takes: whoever can write a log may have written anything. */
export function isPlayable(record: AuditRecord): boolean {
  switch (record.kind) {
    case 'started':
    case 'step':
      return isOfActor(record) && isObject(record.event) && isText(record.event.type) && isEffects(record.effects);
    case 'state':
      return isOfActor(record) && isObject(record.context) && isListOf(record.children, isText);
    default:
      return true;
  }
}

function isOfActor({ actor, machine, to }: { actor: unknown; machine: unknown; to?: unknown }): boolean {
  return isText(actor) && isText(machine) && to !== undefined;
}

function isEffects(effects: unknown): boolean {
  return effects === undefined || isListOf(effects, isText);
}
