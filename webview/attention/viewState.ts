/** What the Attention view knows, and how each message of the host changes it. */
import type { AttentionViewIn, WeightedBy } from '../../src/shared/protocol/panel.ts';
import type { Token } from '../../src/shared/tokens.ts';

export interface HeadPlace {
  readonly layer: number;
  readonly head: number;
}

export interface Grid {
  readonly tokens: readonly Token[];
  readonly layers: number;
  readonly heads: number;
  readonly size: number;
  /** [layers, heads, size, size] */
  readonly thumbnails: Float32Array;
  /** Null: plain attention. */
  readonly weightedBy: WeightedBy | null;
}

export interface Head extends HeadPlace {
  readonly queries: number;
  readonly keys: number;
  /** [query, key] */
  readonly values: Float32Array;
  readonly weightedBy: WeightedBy | null;
}

interface Problem {
  readonly code: string;
  readonly message: string;
}

export interface ViewState {
  readonly loading: boolean;
  /** How far the loading has come, in words and numbers; '' when nothing was told. */
  readonly phase: string;
  readonly failure: Problem | null;
  /** The model shows nobody its attention. */
  readonly unseen: boolean;
  /** Why the grid is plain although it was to be weighted. */
  readonly notice: Problem | null;
  /** What the explained answer is called; null before the first grid. */
  readonly target: string | null;
  readonly grid: Grid | null;
  readonly head: Head | null;
  /** The head that was asked for; its matrix may still be on its way. */
  readonly wanted: HeadPlace | null;
  /** The token under the editor's cursor. */
  readonly highlighted: number | null;
}

export const initialViewState: ViewState = {
  loading: false,
  phase: '',
  failure: null,
  unseen: false,
  notice: null,
  target: null,
  grid: null,
  head: null,
  wanted: null,
  highlighted: null,
};

export function nextViewState(state: ViewState, message: AttentionViewIn): ViewState {
  switch (message.type) {
    case 'idle':
      // No prompt is explained: attention of another one must not stay on screen. The choice of head does.
      return { ...initialViewState, wanted: state.wanted, unseen: message.unseen === true };
    case 'loading':
      return {
        ...state,
        loading: true,
        phase: '',
        failure: null,
        unseen: false,
        notice: null,
        target: message.target ?? state.target,
      };
    case 'progress': {
      const { phase, done, total } = message;
      return { ...state, phase: total > 1 ? `${phase} ${done}/${total}` : phase };
    }
    case 'failed':
      return { ...state, loading: false, failure: { code: message.code, message: message.message } };
    case 'grid': {
      const { tokens, layers, heads, size, thumbnails, weightedBy = null, notice = null } = message;
      return {
        ...state,
        loading: false,
        failure: null,
        notice,
        grid: { tokens, layers, heads, size, thumbnails, weightedBy },
        head: null,
        wanted: headToOpen(state.wanted, layers, heads),
        highlighted: null,
      };
    }
    case 'head': {
      const [queries, keys] = message.shape;
      const { weightedBy = null } = message;
      // A late answer for a head that is no longer asked for, or one that does not fit the tokens on screen, is dropped.
      if (state.grid === null || !samePlace(state.wanted, message)) return state;
      // So is one that was weighted otherwise than the heads beside it.
      if (weightedBy?.label !== state.grid.weightedBy?.label) return state;
      if (queries !== state.grid.tokens.length || keys !== state.grid.tokens.length || message.values.length !== queries * keys)
        return state;
      return {
        ...state,
        failure: null,
        head: { layer: message.layer, head: message.head, queries, keys, values: message.values, weightedBy },
      };
    }
    case 'highlight':
      return { ...state, highlighted: message.token };
    default:
      // A host of another version may say more.
      return state;
  }
}

/** The head to show for a new grid: the one before where the model has it, else the first of the last layer. */
function headToOpen(before: HeadPlace | null, layers: number, heads: number): HeadPlace | null {
  if (layers === 0 || heads === 0) return null;
  return before !== null && before.layer < layers && before.head < heads ? before : { layer: layers - 1, head: 0 };
}

export function samePlace(a: HeadPlace | null, b: HeadPlace | null): boolean {
  return a !== null && b !== null && a.layer === b.layer && a.head === b.head;
}
