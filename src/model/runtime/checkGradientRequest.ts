/** Everything of a gradient request that could make native code read out of bounds, or mean nothing, is refused here. */
import { type GradientPathRequest, type GradientRequest, gradientRules, type GradientTarget } from '../gradient.ts';
import { type ModelInfo, outputWidth } from '../model.ts';
import { type Site, siteName } from '../sites.ts';
import { gradientTarget, patchShape } from '../../shared/errorCatalog.ts';

/**
 * @param numbersAt how many numbers a site has on this prompt; throws for a site the model does not show
 * @throws E_GRADIENT_TARGET, and what `numbersAt` throws
 */
export function checkTarget(target: GradientTarget, tokens: number, info: ModelInfo, numbersAt: (site: Site) => number): void {
  const position = (at: number) => {
    if (Number.isInteger(at) && at >= 0 && at < tokens) return;
    throw gradientTarget(
      `the target reads position ${at}`,
      `the sequence has ${tokens} tokens, counted from 0`,
      `use a position from 0 to ${tokens - 1}`,
    );
  };
  const whole = (values: Float32Array, what: string, expected = outputWidth(info)) => {
    if (values.length !== expected) {
      throw gradientTarget(`${what} has ${values.length} numbers`, `${expected} are needed`, 'give one for each');
    }
    if (!values.every(Number.isFinite)) {
      throw gradientTarget(`${what} holds a NaN or an infinity`, 'its derivative would be none', 'give finite numbers');
    }
  };
  switch (target.kind) {
    case 'logit':
    case 'logprob':
    case 'probability':
    case 'joint-probability':
      if (target.terms.length === 0)
        throw gradientTarget('the target has no term', 'it is 0 whatever the prompt', 'name a token');
      for (const { position: at, id, weight } of target.terms) {
        position(at);
        if (!Number.isInteger(id) || id < 0 || id >= outputWidth(info)) {
          throw gradientTarget(
            `the target reads token ${id}`,
            `a row of logits has ${outputWidth(info)} numbers, counted from 0`,
            `use an id from 0 to ${outputWidth(info) - 1}`,
          );
        }
        if (!Number.isFinite(weight))
          throw gradientTarget('a weight of the target is not finite', `it is ${weight}`, 'use a number');
      }
      return;
    case 'entropy':
      position(target.position);
      return;
    case 'kl':
      position(target.position);
      whole(target.reference, 'the reference distribution');
      checkDistribution(target.reference, target.direction === 'to-reference');
      return;
    case 'linear':
      for (const row of target.rows) {
        position(row.position);
        whole(row.weights, 'a row of weights');
      }
      return;
    case 'cotangent':
      whole(target.values, `the cotangent at ${siteName(target.site)}`, numbersAt(target.site));
  }
}

/** A name may come over the wire. @throws E_GRADIENT_TARGET */
export function checkRules({ rules = 'exact', embeddings, reference }: GradientRequest): void {
  const names: readonly string[] = gradientRules;
  if (!names.includes(rules)) {
    throw gradientTarget(
      `there are no gradient rules named ${rules}`,
      'only some have been written',
      `use ${names.join(' or ')}`,
    );
  }
  if (rules === 'rescale' && (embeddings === undefined || reference === undefined)) {
    throw gradientTarget('the rules rescale lack an input', 'they compare two', 'give both embeddings and reference');
  }
  if (rules !== 'rescale' && reference !== undefined) {
    throw gradientTarget(`the rules ${rules} take no reference`, 'only rescale compares two inputs', 'leave it away');
  }
}

/** @throws E_PATCH_SHAPE */
export function checkEmbeddings(tokens: Int32Array, embeddings: Float32Array, { hidden }: ModelInfo): void {
  const expected = tokens.length * hidden;
  if (embeddings.length !== expected) throw patchShape('embed', expected, embeddings.length);
}

/** @throws E_GRADIENT_TARGET when a place on the path or its weight is not a number */
export function checkPoints(points: GradientPathRequest['points']): void {
  const wrong = points.find(({ fraction, weight }) => !Number.isFinite(fraction) || !Number.isFinite(weight));
  if (wrong === undefined) return;
  const what = `a point of the path has fraction ${wrong.fraction} and weight ${wrong.weight}`;
  throw gradientTarget(what, 'the sum over the path would be no number', 'give finite numbers');
}

/** Weights that are negative, or nothing in all, or 0 where the divergence divides by them, are no distribution. */
function checkDistribution(reference: Float32Array, divides: boolean): void {
  let sum = 0;
  for (const share of reference) {
    if (share < 0 || (divides && share === 0)) {
      const why = share < 0 ? 'it holds a negative number' : 'it holds a 0, where KL(model ‖ reference) is infinite';
      throw gradientTarget('the reference distribution cannot be used', why, 'give probabilities above 0 that add up to 1');
    }
    sum += share;
  }
  if (Math.abs(sum - 1) <= 1e-3) return;
  throw gradientTarget(
    'the reference distribution cannot be used',
    `it adds up to ${sum}`,
    'give probabilities that add up to 1',
  );
}
