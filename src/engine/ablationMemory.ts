import type { AblationStore } from '../attribution/ablationStore.ts';
import type { RowResult } from '../model/model.ts';

/** Keeps at most `limit` rows of logits; what was used longest ago is forgotten first. */
export function createAblationMemory(limit: number): AblationStore {
  const kept = new Map<string, readonly RowResult[]>();
  let size = 0;
  const forget = (sequence: string) => {
    size -= kept.get(sequence)?.length ?? 0;
    kept.delete(sequence);
  };
  return {
    get(sequence) {
      const rows = kept.get(sequence);
      if (rows === undefined) return undefined;
      kept.delete(sequence);
      kept.set(sequence, rows);
      return rows;
    },
    set(sequence, rows) {
      forget(sequence);
      kept.set(sequence, rows);
      size += rows.length;
      for (const oldest of kept.keys()) {
        if (size <= limit) break;
        forget(oldest);
      }
    },
  };
}
