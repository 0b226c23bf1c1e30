import type { AttributionInput, MethodParameter } from '../method.ts';
import { emptyPromptToken } from './emptyPrompt.ts';
import { neutralToken } from './neutralToken.ts';

/** `drop`: the tokens are deleted and positions close up. `neutral`: one neutral token stands where each was. */
export const replacementParameter: MethodParameter = {
  id: 'replacement',
  label: 'Instead of the unit',
  default: 'drop',
  choices: ['drop', 'neutral'],
};

/** Makes the prompt without some of its tokens, as the `replacement` parameter says. The maker's result is never empty. */
export async function tokenRemover({
  model,
  tokens,
  parameters,
}: Pick<AttributionInput, 'model' | 'tokens' | 'parameters'>): Promise<(gone: readonly number[]) => Int32Array> {
  const full = Int32Array.from(tokens, (token) => token.id);
  if (parameters['replacement'] === 'neutral') {
    const neutral = await neutralToken(model.tokenizer);
    return (gone) => {
      const prompt = full.slice();
      for (const token of gone) prompt[token] = neutral;
      return prompt;
    };
  }
  const empty = await emptyPromptToken(model.tokenizer);
  return (gone) => withoutTokens(full, gone, empty);
}

/** The ids without those at some positions: deleted, positions close up. @param empty stands for a prompt of which nothing is left */
export function withoutTokens(ids: Int32Array, gone: readonly number[], empty: number): Int32Array {
  const dropped = new Set(gone);
  const kept = ids.filter((_id, index) => !dropped.has(index));
  return kept.length > 0 ? kept : Int32Array.of(empty);
}
