/** Every attribution method. Adding one is one file and one line here. */
import type { Model } from '../model/model.ts';
import { LoupeError } from '../shared/errors.ts';
import type { Warning } from '../shared/explanation.ts';
import type { ExplainRequest } from '../shared/protocol/engine.ts';
import { methodOptIn, methodUnknown, methodUnsupported, parameterInvalid } from '../shared/errorCatalog.ts';
import { attention } from './flow/attention.ts';
import { attentionFlow } from './flow/attentionFlow.ts';
import { attentionTimesGradient } from './flow/attentionTimesGradient.ts';
import { loupe } from './ensemble/loupe.ts';
import { deepLift } from './gradient/deepLift.ts';
import { expectedGradients } from './gradient/expectedGradients.ts';
import { gradientTimesActivation } from './gradient/gradientTimesActivation.ts';
import { inputTimesGradient } from './gradient/inputTimesGradient.ts';
import { integratedGradients } from './gradient/integratedGradients.ts';
import { informationFlow } from './flow/informationFlow.ts';
import { logitDecomposition } from './flow/logitDecomposition.ts';
import type { AttributionMethod, MethodNeed, MethodParameter } from './method.ts';
import { multiHop } from './reasoning/multiHop.ts';
import { guidedOcclusion } from './perturbation/guidedOcclusion.ts';
import { hierarchicalOcclusion } from './perturbation/hierarchicalOcclusion.ts';
import { occlusion } from './perturbation/occlusion.ts';
import { permutationImportance } from './perturbation/permutationImportance.ts';
import { reagent } from './perturbation/reagent.ts';
import { valueZeroing } from './perturbation/valueZeroing.ts';
import { exactShapley } from './shapley/exactShapley.ts';
import { kernelShap } from './shapley/kernelShap.ts';
import { partitionShapley } from './shapley/partitionShapley.ts';
import { permutationShapley } from './shapley/permutationShapley.ts';
import { anchors } from './surrogate/anchors.ts';
import { decisionTree } from './surrogate/decisionTree.ts';
import { lime } from './surrogate/lime.ts';
import { sparseSurrogate } from './surrogate/sparseSurrogate.ts';
import { attnLrp } from './propagation/attnLrp.ts';
import { random } from './control/random.ts';
import { saliency } from './gradient/saliency.ts';
import { smoothgrad } from './gradient/smoothgrad.ts';

export const attributionMethods: readonly AttributionMethod[] = [
  loupe,
  saliency,
  inputTimesGradient,
  integratedGradients,
  smoothgrad,
  expectedGradients,
  deepLift,
  gradientTimesActivation,
  occlusion,
  guidedOcclusion,
  hierarchicalOcclusion,
  permutationImportance,
  valueZeroing,
  reagent,
  exactShapley,
  kernelShap,
  permutationShapley,
  partitionShapley,
  lime,
  sparseSurrogate,
  decisionTree,
  anchors,
  attention,
  attentionTimesGradient,
  attentionFlow,
  informationFlow,
  logitDecomposition,
  attnLrp,
  multiHop,
  random,
];

/** What is used where nobody chose: the most faithful method at three forward passes (docs/faithfulness.md). */
export const defaultMethod = loupe.id;
/** What stands in for it on a model without gradients: the most faithful of those that need forward passes alone (docs/faithfulness.md). */
export const fallbackMethod = lime.id;

const needNames: Record<MethodNeed, string> = {
  forward: 'forward passes',
  capture: 'a look at the attention inside',
  patch: 'changes inside a forward pass',
  gradient: 'gradients',
};

/**
 * The method with this id, if the model can run it.
 * @throws E_METHOD_UNKNOWN, E_METHOD_UNSUPPORTED
 */
export function findMethod(id: string, model: Model): AttributionMethod {
  const method = attributionMethods.find((candidate) => candidate.id === id);
  if (method === undefined)
    throw methodUnknown(
      id,
      attributionMethods.map((candidate) => candidate.id),
    );
  const missing = missingNeed(method, model.info.can);
  if (missing !== undefined) throw methodUnsupported(id, needNames[missing], supportedMethods(model.info.can));
  return method;
}

/**
 * The asked method, or `fallbackMethod` where this model cannot run it and it may fall back, with a warning that says so.
 * @throws E_METHOD_OPT_IN, and as `findMethod`
 */
export function chooseMethod(
  { method: id, mayFallBack = false, agreed = [] }: Pick<ExplainRequest, 'method' | 'mayFallBack' | 'agreed'>,
  model: Model,
): { readonly method: AttributionMethod; readonly warnings: readonly Warning[] } {
  try {
    const method = findMethod(id, model);
    if (method.optIn !== undefined && !agreed.includes(id)) throw methodOptIn(id, method.optIn);
    return { method, warnings: [] };
  } catch (error) {
    const unsupported = error instanceof LoupeError && error.code === 'E_METHOD_UNSUPPORTED';
    if (!mayFallBack || !unsupported) throw error;
    const message = `The model cannot run ${id}, so these are scores of ${fallbackMethod}.`;
    return { method: findMethod(fallbackMethod, model), warnings: [{ code: 'W_METHOD_FALLBACK', message }] };
  }
}

/** Ids of the methods this model can run. */
export function supportedMethods(can: Abilities): string[] {
  return attributionMethods.filter((method) => missingNeed(method, can) === undefined).map((method) => method.id);
}

/** Ids of the methods that work on this model where no gradient can be taken. */
export function methodsWithoutGradient({ info }: Pick<Model, 'info'>): string[] {
  return supportedMethods({ ...info.can, gradient: false });
}

type Abilities = Pick<Model['info']['can'], 'capture' | 'patch' | 'gradient'>;

function missingNeed(method: AttributionMethod, can: Abilities): MethodNeed | undefined {
  return method.needs.find((need) => need !== 'forward' && !can[need]);
}

/**
 * The method's parameters: what the user gave, checked, and defaults for the rest, in the method's own order.
 * @throws E_PARAMETER for a parameter the method does not have or a value it does not take
 */
export function resolveParameters(
  method: AttributionMethod,
  given: Readonly<Record<string, string | number | boolean>> = {},
): Record<string, string | number | boolean> {
  const known = method.parameters.map((parameter) => parameter.id);
  for (const id of Object.keys(given)) {
    if (!known.includes(id)) {
      const action = known.length > 0 ? `use one of: ${known.join(', ')}` : 'leave it away';
      throw parameterInvalid(method.id, id, 'the method has no such parameter', action);
    }
  }
  return Object.fromEntries(
    method.parameters.map((parameter) => {
      const value = Object.hasOwn(given, parameter.id) ? given[parameter.id] : undefined;
      return [parameter.id, value === undefined ? parameter.default : checkedValue(method.id, parameter, value)];
    }),
  );
}

function checkedValue(method: string, parameter: MethodParameter, value: string | number | boolean): string | number | boolean {
  const { id, choices, minimum = -Infinity, maximum = Infinity, whole = false } = parameter;
  const wanted = typeof parameter.default;
  if (typeof value !== wanted) throw parameterInvalid(method, id, `its value is a ${typeof value}`, `give a ${wanted}`);
  if (choices !== undefined && !choices.includes(String(value))) {
    throw parameterInvalid(method, id, `its value is ${JSON.stringify(value)}`, `use one of: ${choices.join(', ')}`);
  }
  if (typeof value === 'number' && !(value >= minimum && value <= maximum)) {
    throw parameterInvalid(method, id, `its value is ${value}`, `use a number from ${minimum} to ${maximum}`);
  }
  if (whole && !Number.isInteger(value)) throw parameterInvalid(method, id, `its value is ${value}`, 'use a whole number');
  return value;
}
