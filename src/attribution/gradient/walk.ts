import type { GradientOptions } from '../../model/gradient.ts';
import type { Precision, Tensor } from '../../model/model.ts';
import type { Site } from '../../model/sites.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import type { AttributionInput, AttributionOptions } from '../method.ts';
import type { PathPoint } from './pathRule.ts';
import { finiteTensor, gradientOptions, gradientPasses, precisionOf, wholeSequence, withoutPlan } from './promptGradient.ts';

const embed = { kind: 'embed' } as const;

/** Gradients and values of the target at input embeddings of one's own choice, call after call; counts what they cost. */
export class Walk {
  readonly #input: AttributionInput;
  readonly #options: AttributionOptions;
  #calls = 0;
  #done = 0;
  #announced = 0;
  forwardPasses = 0;
  precision: Precision;

  constructor(input: AttributionInput, options: AttributionOptions) {
    this.#input = input;
    this.#options = options;
    this.precision = precisionOf(input);
  }

  /** Tells progress how many more points are coming. */
  announce(points: number): void {
    this.#announced += points;
  }

  /**
   * The weighted sum of the gradients at the input, [T, D], over points of a straight line. @param from [T, D] @param to [T, D]
   * @throws E_NUMERIC for a NaN or an infinity anywhere in the answer, and as `Model.gradientAlong`
   */
  async along(from: Float32Array, to: Float32Array, points: readonly PathPoint[]): Promise<Tensor> {
    const { gradients, plan } = await this.#model(from, to, [embed], points, (done) =>
      this.#options.onProgress?.(this.#done + done, this.#announced),
    );
    this.#done += points.length;
    this.forwardPasses += points.length * gradientPasses(plan, this.#input);
    return finiteTensor(gradients, embed, 'the gradient at ');
  }

  /** The gradient at one place, [T, D]. @param embeddings [T, D] @throws as `along` */
  at(embeddings: Float32Array): Promise<Tensor> {
    return this.along(embeddings, embeddings, [{ fraction: 0, weight: 1 }]);
  }

  /** The target at both ends of a line; no gradient is taken there. @throws as `along` */
  async ends(from: Float32Array, to: Float32Array): Promise<readonly [number, number]> {
    const points = [0, 1].map((fraction) => ({ fraction, weight: 0 }));
    const { values, plan } = await this.#model(from, to, [], points);
    this.forwardPasses += gradientPasses(plan, this.#input);
    const [before = Number.NaN, after = Number.NaN] = values;
    return [before, after];
  }

  async #model(
    from: Float32Array,
    to: Float32Array,
    at: readonly Site[],
    points: readonly PathPoint[],
    onProgress: GradientOptions['onProgress'] = () => undefined,
  ) {
    const { model, target, tokens } = this.#input;
    const result = await model.gradientAlong(
      {
        tokens: wholeSequence(this.#input),
        target: target.gradient(tokens.length),
        at,
        precision: this.precision,
        from,
        to,
        points,
      },
      gradientOptions(this.#calls++ === 0 ? this.#options : withoutPlan(this.#options), onProgress),
    );
    this.precision = result.precision;
    if (!result.values.every(Number.isFinite)) throw numeric('the target');
    return result;
  }
}
