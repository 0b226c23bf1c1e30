/** Which products of a recorded pass are attention, and whether their mask lets a query see nothing behind itself. */
import { float32 } from '../../graph/tensorHeader.ts';
import { operand, type Tape, type TapeNode } from '../tape/tape.ts';

/** `scores`: keys × queries before the softmax; `mixture`: values × probabilities. Only where the mask is causal. */
export type AttentionRole = 'scores' | 'mixture' | null;

const minusInfinityF16 = 0xfc00;
/** Operators between the product and the softmax that leave zeros where they are and look at one element at a time. */
const elementwise = new Set(['SCALE', 'UNARY']);

export class AttentionRoles {
  readonly #roles = new Map<TapeNode, AttentionRole>();
  readonly #causal = new Set<TapeNode>();

  constructor(tape: Tape) {
    const causalMasks = new Map<unknown, boolean>();
    for (const softmax of tape.nodes) {
      if (softmax.operator !== 'SOFT_MAX' || softmax.header.ne[1] !== tape.tokens) continue;
      const mask = softmax.sources[1];
      if (mask === undefined || mask === null || mask.kind === 'node' || mask.bytes === null) continue;
      const known = causalMasks.get(mask) ?? seesNothingBehind(mask.header, mask.bytes, tape.tokens);
      causalMasks.set(mask, known);
      if (!known) continue;
      this.#causal.add(softmax);
      let scores = operand(softmax, 0);
      while (scores.kind === 'node' && elementwise.has(scores.operator)) scores = operand(scores, 0);
      if (scores.kind === 'node' && scores.operator === 'MUL_MAT') this.#roles.set(scores, 'scores');
    }
    for (const node of tape.nodes) {
      const probabilities = node.operator === 'MUL_MAT' ? node.sources[1] : null;
      if (probabilities?.kind === 'node' && this.#causal.has(probabilities)) this.#roles.set(node, 'mixture');
    }
  }

  of(node: TapeNode): AttentionRole {
    return this.#roles.get(node) ?? null;
  }

  isCausal(softmax: TapeNode): boolean {
    return this.#causal.has(softmax);
  }
}

/** Mask [keys, queries], F32 or F16: every key after the query is forbidden. */
function seesNothingBehind({ ne, nb, type }: TapeNode['header'], bytes: Uint8Array, tokens: number): boolean {
  if (ne[1] < tokens) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let query = 0; query < tokens; query++) {
    for (let key = query + 1; key < ne[0]; key++) {
      const place = query * nb[1] + key * nb[0];
      const forbidden =
        type === float32
          ? view.getFloat32(place, true) === Number.NEGATIVE_INFINITY
          : view.getUint16(place, true) === minusInfinityF16;
      if (!forbidden) return false;
    }
  }
  return true;
}
