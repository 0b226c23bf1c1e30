import type { TextRange } from '../../shared/tokens.ts';
import type { TextChange } from '../overlay/alignment.ts';

/**
 * Moves a range through one change event. Text typed inside it belongs to it, text typed against its edges does not;
 * null when nothing of it is left.
 */
export function shiftRange(range: TextRange, changes: readonly TextChange[]): TextRange | null {
  let { start, end } = range;
  for (const { offset, deleted, inserted } of [...changes].sort((a, b) => b.offset - a.offset)) {
    const changeEnd = offset + deleted;
    const delta = inserted.length - deleted;
    if (offset >= end) continue;
    if (changeEnd <= start) {
      start += delta;
      end += delta;
      continue;
    }
    start = Math.min(start, offset);
    end = changeEnd >= end ? offset + inserted.length : end + delta;
  }
  return end > start ? { start, end } : null;
}
