/** What passes between the extension host and the Explain panel and the Attention view. Plain data and typed arrays only. */
import type { Comparison } from '../difference.ts';
import type { Explanation } from '../explanation.ts';
import type { Granularity, Token } from '../tokens.ts';
import type { TargetSpec } from '../target.ts';
import type { ExportFormat, PartialStage } from './engine.ts';

/** One line of the method picker. */
export interface MethodChoice {
  readonly id: string;
  /** Name of the group it stands in. */
  readonly family: string;
  readonly label: string;
  readonly assumption: string;
  /** Passes through the model, in words. */
  readonly cost: string;
  /** Why it cannot be chosen now; null: it can. */
  readonly unavailable: string | null;
}

/** Host → Explain panel. */
export type ExplainPanelIn =
  | { readonly type: 'explanation'; readonly explanation: Explanation; readonly stage: PartialStage | 'final' }
  | { readonly type: 'progress'; readonly phase: string; readonly done: number; readonly total: number }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'idle' }
  /** The followed document has no explanation yet: what was shown belongs to another one. */
  | { readonly type: 'empty' }
  | {
      readonly type: 'methods';
      readonly methods: readonly MethodChoice[];
      readonly mode: 'raw' | 'chat' | 'auto';
      /** The method that is asked for; a partial explanation may carry another one's scores. */
      readonly method?: string;
    }
  /** The shown explanation beside another one, unit by unit; null: shown by itself. */
  | { readonly type: 'comparison'; readonly comparison: Comparison | null }
  /** Strength of the tints, as the setting has it. */
  | { readonly type: 'intensity'; readonly intensity: number }
  /** Draw this SVG as a PNG. */
  | { readonly type: 'drawPicture'; readonly svg: string }
  /** Which unit the editor's cursor is on. */
  | { readonly type: 'highlight'; readonly unit: number | null };

/** Explain panel → host. */
export type ExplainPanelOut =
  | { readonly type: 'ready' }
  | { readonly type: 'explainTarget'; readonly target: TargetSpec }
  /** Ask for a text that response token `at` is compared with. */
  | { readonly type: 'askContrast'; readonly at: number }
  | { readonly type: 'setMethod'; readonly method: string }
  | { readonly type: 'setGranularity'; readonly granularity: Granularity }
  | { readonly type: 'setMode'; readonly mode: 'raw' | 'chat' | 'auto' }
  | { readonly type: 'setShowHidden'; readonly show: boolean }
  /** `kept`: the slider was let go, and the setting is to follow; else it is still on its way. */
  | { readonly type: 'setIntensity'; readonly intensity: number; readonly kept: boolean }
  | { readonly type: 'revealUnit'; readonly unit: number }
  | { readonly type: 'endComparison' }
  | { readonly type: 'cancel' }
  | { readonly type: 'rerun' }
  /** What is shown again, with every measure of faithfulness. */
  | { readonly type: 'checkFully' }
  | { readonly type: 'export'; readonly format: ExportFormat | 'png' }
  /** The answer to `drawPicture`: a PNG file; null: it could not be drawn. */
  | { readonly type: 'picture'; readonly bytes: Uint8Array | null };

/** `gradient`: every attention weight times the derivative of the explained number by it. */
export type AttentionWeightingChoice = 'plain' | 'gradient';

/** What the attention on its way was weighted by; values are signed and in `unit` then. */
export interface WeightedBy {
  readonly label: string;
  readonly unit: string;
}

/** Host → Attention view. */
export type AttentionViewIn =
  /** Nothing to show; `unseen`: the model is a black box, whatever is explained. */
  | { readonly type: 'idle'; readonly unseen?: true }
  | {
      readonly type: 'loading';
      /** What the explained answer is called: the gradient would be of it. */
      readonly target?: string;
    }
  | { readonly type: 'progress'; readonly phase: string; readonly done: number; readonly total: number }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | {
      readonly type: 'grid';
      readonly tokens: readonly Token[];
      readonly layers: number;
      readonly heads: number;
      readonly size: number;
      /** [layers, heads, size, size] */
      readonly thumbnails: Float32Array;
      readonly weightedBy?: WeightedBy;
      /** Why this is plain attention although weighted attention was asked for. */
      readonly notice?: { readonly code: string; readonly message: string };
    }
  | {
      readonly type: 'head';
      readonly layer: number;
      readonly head: number /** [query, key] */;
      readonly shape: readonly [number, number];
      readonly values: Float32Array;
      readonly weightedBy?: WeightedBy;
    }
  /** The token the editor's cursor is on. */
  | { readonly type: 'highlight'; readonly token: number | null };

/** Attention view → host. */
export type AttentionViewOut =
  | { readonly type: 'ready'; readonly weighting: AttentionWeightingChoice }
  | { readonly type: 'setWeighting'; readonly weighting: AttentionWeightingChoice }
  | { readonly type: 'requestHead'; readonly layer: number; readonly head: number }
  /** Mirror this token's row or column in the editor: weights over tokens, or null to clear. */
  | { readonly type: 'selectToken'; readonly token: number | null; readonly weights: Float32Array | null }
  | { readonly type: 'refresh' };
