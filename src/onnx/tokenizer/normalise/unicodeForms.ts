import { isUndecomposed } from '../characters.ts';
import { PlacedTextBuilder, rangeOf } from '../placedText.ts';
import type { PlacedText } from '../placedText.ts';

export type UnicodeForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

/** A character and what may melt into it: marks, Hangul vowels and finals, half-width voice marks. */
const clusterPattern = /[^][\p{M}\u1160-\u11ff\ud7b0-\ud7ff\uff9e\uff9f]*/gu;

/** A Unicode normalisation form. Whatever a character became stands for that character with its marks. */
export function normaliseForm(placed: PlacedText, form: UnicodeForm): PlacedText {
  const whole = placed.text.normalize(form);
  if (whole === placed.text) return placed;
  const builder = new PlacedTextBuilder(placed);
  let isWhole = true;
  for (const { 0: cluster, index } of placed.text.matchAll(clusterPattern)) {
    const made = cluster.normalize(form);
    const tooNew = made !== cluster && (holdsUndecomposed(cluster) || holdsUndecomposed(made));
    isWhole &&= !tooNew;
    if (made === cluster || tooNew) builder.copy(placed, index, index + cluster.length);
    else builder.push(made, rangeOf(placed, index, index + cluster.length));
  }
  const result = builder.build();
  return result.text === whole || !isWhole ? result : approximately(placed, whole);
}

function holdsUndecomposed(text: string): boolean {
  for (const character of text) if (isUndecomposed(character)) return true;
  return false;
}

/** Characters melted over the borders of clusters: then all that is known is that the new text stands for the old. */
function approximately(placed: PlacedText, whole: string): PlacedText {
  const builder = new PlacedTextBuilder(placed);
  builder.push(whole, rangeOf(placed, 0, placed.text.length));
  builder.markApproximate();
  return builder.build();
}
