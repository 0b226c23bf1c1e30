import type { ModelInfo } from '../../model/model.ts';
import type { GraphValue, OnnxGraph } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';
import type { FeedOptions } from '../runtime/feeds.ts';
import type { SessionOptions } from '../runtime/session.ts';
import type { OnnxSites } from '../sites/onnxSite.ts';
import type { SessionCache } from './sessionCache.ts';

/** An opened ONNX model, ready to be run. */
export interface OnnxEvaluator {
  readonly info: ModelInfo;
  /** Lowered to primitive operators and simplified; `logits` is an output that it can compute. */
  readonly graph: OnnxGraph;
  /** [1, rows, V], of a classifier [1, classes], of a sentence encoder [1, D]. */
  readonly logits: string;
  /** Whether the graph computes logits only of the positions in `rowsInput`. */
  readonly selectsRows: boolean;
  /** Tensors of the chosen rows only → a tensor of the same shape but for axis 1. */
  readonly rowTensors: ReadonlyMap<string, string>;
  /** Sequences the file reads at once; more than 1 are all given the same tokens, and the first is read. */
  readonly sequences: number;
  /** Numbers in a row of logits. */
  readonly width: number;
  /** Facts of every tensor of the graph but `rowTensors`. */
  readonly probe: Probe;
  /** Tensors with axes that are as long as the prompt: ONNX Runtime does not find all of them by itself. */
  readonly known: readonly GraphValue[];
  /** Whether a token changes nothing at the positions before it, to the last bit: causal attention, no quantisation over positions. */
  readonly readsLeftToRight: boolean;
  readonly sites: OnnxSites;
  readonly sessions: SessionCache;
  readonly feedOptions: FeedOptions;
  /** Of every session that computes passes. */
  readonly sessionOptions: Pick<SessionOptions, 'threads' | 'providers'>;
}
