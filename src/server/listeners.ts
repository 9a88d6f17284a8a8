import { Emitter } from '../core/emitter.ts';
import { check, type Rule } from '../core/rules.ts';

/** An emitter that is the application's to listen to: who asks for an event that there is not is told so. */
export class Listeners<Events> extends Emitter<Events> {
  readonly #rule: Rule;

  /** `report` hears what listeners throw. */
  constructor(rule: Rule, report: (cause: unknown) => void) {
    super(report);
    this.#rule = rule;
  }

  /**
   * @returns Removes the listener.
   * @throws {ConfigurationError} `INVALID_OPTIONS` for an event that there is not, or a listener that is no function.
   */
  override on<Type extends keyof Events>(type: Type, listener: (event: Events[Type]) => unknown): () => void {
    check(this.#rule, { type, listener });
    return super.on(type, listener);
  }
}
