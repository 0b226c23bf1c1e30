/** How the graph of an ONNX file was read. Operators by their key: `MatMul`, `com.microsoft:MatMulNBits`. */
export interface GraphSummary {
  /** Nodes of the file, constants apart, and of the graph that everything is computed on. */
  readonly nodes: { readonly file: number; readonly run: number };
  /** What was written out as primitive operators, `If` and `Loop` among them; by name. */
  readonly openedUp: readonly OperatorCount[];
  /** Text is written by the file as it is, with keys and values of the tokens before; all else is computed on the opened-up graph. */
  readonly writesAsItIs: boolean;
  /** The file has 16-bit floats, which are computed in 32. */
  readonly hasHalfFloats: boolean;
  /** Sequences the file reads at once; null: any number. */
  readonly fixedBatch: number | null;
  /** Nodes between embeddings and answer that the exact gradient cannot go through. */
  readonly withoutGradient: readonly GradientObstacle[];
  /** Operators between embeddings and answer that nothing here knows: they run as they are, and nothing inside them is seen. */
  readonly unrecognised: readonly OperatorCount[];
}

export interface OperatorCount {
  readonly operator: string;
  readonly count: number;
}

/** All nodes of one operator that are refused for the same reason. */
export interface GradientObstacle extends OperatorCount {
  readonly why: string;
  /** Names of the first of them; of a node without one, that of its first output. */
  readonly nodes: readonly string[];
}
