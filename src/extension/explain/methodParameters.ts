/** Which settings a method takes as its parameters. */
import type { ExplainRequest } from '../../shared/protocol/engine.ts';
import type { Settings } from '../settingsTable.ts';

/** Methods that differentiate, and so have the parameter `precision`; a test compares them with the engine's. */
export const gradientMethodIds: readonly string[] = [
  'saliency',
  'input-x-gradient',
  'integrated-gradients',
  'attention-x-gradient',
];

export function methodParameters(
  method: string,
  { precision }: Pick<Settings, 'precision'>,
): NonNullable<ExplainRequest['parameters']> {
  return gradientMethodIds.includes(method) ? { precision } : {};
}
