import type { PromptBlock } from '../../../shared/inspection/blocks.ts';
import { heatMap } from '../heatMap.ts';
import type { BlockPage } from '../toolView.ts';

/** The prompt, each token tinted by its score. */
export function promptLines({ scores, unit }: PromptBlock, { theme, columns, tokens, promptText }: BlockPage): string[] {
  const units = tokens.map(({ text, special, start, end }, index) => ({
    label: text,
    kind: special ? ('special' as const) : ('text' as const),
    tokens: [index],
    start,
    end,
  }));
  const prompt = { mode: 'raw' as const, text: promptText, sections: [], sourceMap: [] };
  return [...heatMap({ prompt, units, scores: Array.from(scores) }, theme, columns), theme.dim(`in ${unit}`)];
}
