/** Which settings a method takes as its parameters. */
import type { ExplainRequest, MethodDescription } from '../../shared/protocol/engine.ts';
import type { Settings } from '../settingsTable.ts';

/** `undefined` for a method the engine does not have: it says so itself when it is asked for it. */
export function methodParameters(
  method: Pick<MethodDescription, 'parameters'> | undefined,
  { precision }: Pick<Settings, 'precision'>,
): NonNullable<ExplainRequest['parameters']> {
  return method?.parameters.some(({ id }) => id === 'precision') === true ? { precision } : {};
}
