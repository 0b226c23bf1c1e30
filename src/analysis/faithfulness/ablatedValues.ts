import { evaluateSequences, sharedPasses } from '../../attribution/perturbation/evaluateSequences.ts';
import type { ResolvedTarget } from '../../attribution/target.ts';
import type { CallOptions, Model } from '../../model/model.ts';
import { type AblatedPrompt, withoutUnits } from './ablations.ts';
import type { ValueWithout } from './measure.ts';

export interface EvaluationOptions extends CallOptions {
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * The target's values on ablated prompts: first everything is asked for, then all is evaluated together, each prompt once.
 * Rankings and measures that ask for the same prompt share it.
 */
export class AblatedValues {
  /** The target's value on the prompt without some units, of all that was asked for and evaluated. */
  readonly valueWithout: ValueWithout = (gone) => {
    const value = this.#values.get(withoutUnits(this.#prompt, gone).join(' '));
    if (value === undefined) throw new Error('a value that was not asked for');
    return value;
  };
  readonly #model: Model;
  readonly #prompt: AblatedPrompt;
  readonly #target: ResolvedTarget;
  readonly #full: number;
  readonly #values: Map<string, number>;
  readonly #wanted = new Map<string, Int32Array>();

  /**
   * @param full the target's value on the whole prompt
   * @param known values by prompt from an earlier evaluation of the same prompt, model and target; added to
   */
  constructor(model: Model, prompt: AblatedPrompt, target: ResolvedTarget, full: number, known = new Map<string, number>()) {
    this.#model = model;
    this.#prompt = prompt;
    this.#target = target;
    this.#full = full;
    this.#values = known;
    known.set(prompt.ids.join(' '), full);
  }

  /** Full-length forward passes that everything asked for costs; known values count as if they were not. */
  get forwardPasses(): number {
    return this.#passes([...this.#wanted.values()]);
  }

  /**
   * Asks for what `read` reads, unless all together would then cost more than `budget` full-length forward passes.
   * @returns whether it was asked for
   */
  ask(read: (valueWithout: ValueWithout) => unknown, budget = Number.POSITIVE_INFINITY): boolean {
    const added = new Map<string, Int32Array>();
    read((gone) => {
      const ids = withoutUnits(this.#prompt, gone);
      const key = ids.join(' ');
      if (ids.length !== this.#prompt.ids.length && !this.#wanted.has(key)) added.set(key, ids);
      return this.#full;
    });
    if (budget < Number.POSITIVE_INFINITY && this.#passes([...this.#wanted.values(), ...added.values()]) > budget) return false;
    for (const [key, ids] of added) this.#wanted.set(key, ids);
    return true;
  }

  /** @throws E_NUMERIC, and as `Model.forwardVariants` */
  async evaluate({ signal, onProgress }: EvaluationOptions): Promise<void> {
    const fresh = [...this.#wanted].filter(([key]) => !this.#values.has(key));
    let done = 0;
    const values = await evaluateSequences(
      this.#model,
      fresh.map(([, ids]) => ids),
      this.#target,
      {
        ...(signal === undefined ? {} : { signal }),
        onValue: () => onProgress?.(++done, fresh.length),
      },
    );
    fresh.forEach(([key], index) => {
      this.#values.set(key, values[index] as number);
    });
  }

  #passes(prompts: readonly Int32Array[]): number {
    return sharedPasses(this.#model.info, prompts, this.#prompt.ids.length, this.#target.continuation.length);
  }
}
