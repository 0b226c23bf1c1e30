/** `--methods lime,lime:samples=50;regressor=lasso`: methods, each with parameters of its own. */
import { attributionMethods, resolveParameters } from '../../attribution/registry.ts';
import { methodUnknown, usage } from '../../shared/errorCatalog.ts';
import { namedParameter, type ParameterValue } from '../input/namedValues.ts';

export interface EvaluatedMethod {
  /** As the user wrote it. */
  readonly name: string;
  readonly id: string;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
}

/** @throws E_USAGE for none or one twice, E_METHOD_UNKNOWN, E_PARAMETER */
export function parseMethods(list: string): EvaluatedMethod[] {
  const names = list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) throw usage('no method is named', 'give --methods a,b');
  const methods = names.map(parseMethod);
  const keys = methods.map(({ id, parameters }) => JSON.stringify([id, Object.entries(parameters).sort()]));
  const twice = keys.findIndex((key, index) => keys.indexOf(key) < index);
  if (twice >= 0)
    throw usage(`the method ${names[twice] ?? ''} is named twice`, 'name each method once, or give it other parameters');
  return methods;
}

function parseMethod(name: string): EvaluatedMethod {
  const colon = name.indexOf(':');
  const id = colon < 0 ? name : name.slice(0, colon);
  const method = attributionMethods.find((candidate) => candidate.id === id);
  if (method === undefined) {
    throw methodUnknown(
      id,
      attributionMethods.map((candidate) => candidate.id),
    );
  }
  const given = colon < 0 ? [] : name.slice(colon + 1).split(';');
  const parameters = given.reduce<Record<string, ParameterValue>>((known, pair) => namedParameter(pair, known), {});
  resolveParameters(method, parameters);
  return { name, id, parameters };
}
