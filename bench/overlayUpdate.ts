import { alignTokens, applyEdit } from '../src/extension/overlay/alignment.ts';
import { lineStarts, toLineRanges } from '../src/extension/overlay/linePositions.ts';
import { overlayRanges } from '../src/extension/overlay/overlayRanges.ts';
import type { Explanation } from '../src/shared/explanation.ts';
import type { Benchmark } from './benchmark.ts';
import { median, sample } from './measure.ts';

const count = 5000;

type Drawn = Pick<Explanation, 'tokens' | 'units' | 'scores' | 'prompt'>;

/** What the host computes for one keystroke in a document of 5,000 explained tokens: edit, ranges by tint, line positions. */
export const overlayUpdate: Benchmark = {
  id: 'overlay-update',
  title: 'Overlay update after one keystroke, 5,000 tokens, the host’s own part',
  async run() {
    const explanation = syntheticExplanation();
    const { text } = explanation.prompt;
    const alignment = alignTokens(explanation);
    const aligning: number[] = [];
    const updating: number[] = [];
    let ranges = 0;
    let cold = 0;
    for (let round = 0; round < 60; round += 1) {
      const align = await sample(() => Promise.resolve(alignTokens(explanation)));
      const offset = (round * 7919) % text.length;
      const edited = `${text.slice(0, offset)}x${text.slice(offset)}`;
      const update = await sample(() => {
        const moved = applyEdit(alignment, [{ offset, deleted: 0, inserted: 'x' }]);
        const byStep = overlayRanges(explanation, moved, { showHidden: false, intensity: 1 });
        const starts = lineStarts(edited);
        ranges = 0;
        for (const list of byStep.values()) ranges += toLineRanges(starts, list).length;
        return Promise.resolve(ranges);
      });
      if (round === 0) cold = update.cpu;
      // The first rounds run before the compiler has seen the code often enough.
      if (round < 10) continue;
      aligning.push(align.cpu);
      updating.push(update.cpu);
    }
    return [
      { quantity: 'ranges drawn', value: ranges, unit: '' },
      { quantity: 'first alignment, once per explanation', value: median(aligning), unit: 'CPU ms' },
      { quantity: 'update, the very first', value: cold, unit: 'CPU ms' },
      { quantity: 'update, median', value: median(updating), unit: 'CPU ms', goal: { atMost: 16 } },
      { quantity: 'update, slowest of 50', value: Math.max(...updating), unit: 'CPU ms' },
    ];
  },
};

/** Every word one token and one unit; scores spread so that neighbours rarely share a tint: the most ranges there can be. */
function syntheticExplanation(): Drawn {
  const words = ['lamp', 'harbour', 'museum', 'the', 'of', 'stairs', 'winter', 'ticket'];
  let text = '';
  const tokens: Drawn['tokens'] = [];
  const units: Drawn['units'] = [];
  const scores: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const word = words[index % words.length] ?? '';
    const separator = index === 0 ? '' : index % 12 === 0 ? '\n' : ' ';
    const start = text.length;
    text += separator + word;
    tokens.push({ id: index, text: separator + word, start, end: text.length, special: false });
    units.push({ label: word, start: start + separator.length, end: text.length, kind: 'text', tokens: [index] });
    scores.push(((index * 37) % 101) / 50 - 1);
  }
  const sourceMap = [{ start: 0, end: text.length, documentStart: 0 }];
  return { tokens, units, scores, prompt: { mode: 'raw', text, sections: [], sourceMap } };
}
