import type { Transition } from './chart.ts';

// words that Mermaid 11.17 takes for its own where an id stands, found by giving it each word of its grammar as one
const RESERVED = new Set(
  'accDescr accTitle as class classDef click default href note root scale state stateDiagram style'.split(' '),
);

/** Text in the 16 px font of Mermaid that fits into the 200 px after which it breaks lines where it likes. */
const MAX_LINE = 27;

/** A state's path as an id of a Mermaid diagram. */
export function idOf(path: string): string {
  const id = path.replace(/\W/g, '_');
  // Mermaid also looks ids up in plain objects
  return RESERVED.has(id) || id in {} ? `${id}_` : id;
}

/** A text that neither ends a Mermaid statement nor reads as markup or as an entity. */
export function escapeLabel(text: string): string {
  return text.replace(/[:;{}<>"#\s]+/g, ' ').trim();
}

/** One label out of several lines. */
export function stack(lines: readonly string[]): string {
  return lines.map(escapeLabel).join('<br/>');
}

/** Lines one step further in. */
export function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** What triggers these transitions, a line each; what is too long for a line of a label stands on two. */
export function triggerLines(transitions: readonly Transition[], describe = condition): string[] {
  const triggers = [...new Set(transitions.map(({ trigger }) => trigger))];
  return triggers.flatMap((trigger) => {
    const ways = transitions.filter((transition) => transition.trigger === trigger).map(describe);
    const line = `${trigger} ${ways.join(' ')}`.trim();
    return line.length <= MAX_LINE ? [line] : [trigger, ...ways.filter((way) => way !== '')];
  });
}

/**
 * Triggers of many transitions in few lines: several events with the same last part are told as `*.failed`, several
 * delays with the same last word as `after *Timeout`.
 */
export function condense(triggers: readonly string[]): string[] {
  const families = new Map<string, Set<string>>();
  for (const trigger of triggers) {
    const family = familyOf(trigger);
    families.set(family, (families.get(family) ?? new Set()).add(trigger));
  }
  return [...families].flatMap(([family, members]) => (members.size > 1 ? [family] : [...members]));
}

/** The guard of a transition in UML's brackets; empty without one. */
export function condition({ guard, isElse }: Transition): string {
  if (guard !== null) return `[${guard}]`;
  return isElse ? '[else]' : '';
}

function familyOf(trigger: string): string {
  const [, delay] = /^after \w*?([A-Z][a-z\d]*)$/.exec(trigger) ?? [];
  if (delay !== undefined) return `after *${delay}`;
  return trigger.includes('.') ? trigger.replace(/^.*\./, '*.') : trigger;
}
