/** The grid of attention heads as it was asked for, or plain where the gradient cannot be taken. */
import { type LoupeError, toLoupeError } from '../../shared/errors.ts';
import type { AttentionGrid, AttentionGridRequest, AttentionWeighting } from '../../shared/protocol/engine.ts';
import type { CallHooks, EngineService } from '../engineService.ts';

export interface WeightedGrid {
  readonly grid: AttentionGrid;
  /** What the grid is weighted by; null = plain. */
  readonly weighting: AttentionWeighting | null;
  /** Why it is plain although a weighting was asked for. */
  readonly refused: LoupeError | null;
}

/** A model or a prompt without gradients still has plain attention. A cancelled call is not repeated. */
export async function weightedGrid(
  engine: Pick<EngineService, 'attentionGrid'>,
  request: Omit<AttentionGridRequest, 'weighting'>,
  weighting: AttentionWeighting | null,
  hooks: CallHooks,
): Promise<WeightedGrid> {
  const plain = async (refused: LoupeError | null) => ({
    grid: await engine.attentionGrid(request, hooks),
    weighting: null,
    refused,
  });
  if (weighting === null) return plain(null);
  try {
    return { grid: await engine.attentionGrid({ ...request, weighting }, hooks), weighting, refused: null };
  } catch (thrown) {
    const error = toLoupeError(thrown);
    if (error.kind === 'cancelled') throw error;
    return plain(error);
  }
}
