/** Derivatives of the activation functions, for UNARY and for the gate of GLU. */
import type { TensorHeader } from '../../graph/tensorHeader.ts';
import type { Emitter } from '../execution/emitter.ts';

interface Activation {
  /** g · f′(x), all contiguous; y = f(x). Functions, because a value that is asked for is kept until the backward pass. */
  backward(emit: Emitter, gradient: TensorHeader, x: () => TensorHeader, y: () => TensorHeader): TensorHeader;
}

const rootTwoOverPi = Math.sqrt(2 / Math.PI);
const geluCubic = 0.044715;

/** Keyed by ggml's names. */
export const activations: Readonly<Record<string, Activation>> = {
  NEG: { backward: (emit, gradient) => emit.scale(gradient, -1) },
  STEP: { backward: (emit, gradient) => emit.scale(gradient, 0) },
  RELU: { backward: (emit, gradient, x) => emit.multiply(gradient, emit.unary(x(), 'STEP')) },
  TANH: { backward: (emit, gradient, _x, y) => emit.multiply(gradient, emit.scale(emit.multiply(y(), y()), -1, 1)) },
  SIGMOID: { backward: (emit, gradient, _x, y) => emit.multiply(gradient, emit.multiply(y(), emit.scale(y(), -1, 1))) },
  EXP: { backward: (emit, gradient, _x, y) => emit.multiply(gradient, y()) },
  SOFTPLUS: { backward: (emit, gradient, x) => emit.multiply(gradient, emit.unary(x(), 'SIGMOID')) },
  SILU: { backward: (emit, gradient, x) => emit.siluBack(gradient, x()) },
  /** The tanh form of Hendrycks & Gimpel 2016, arXiv 1606.08415; ggml's forward reads it from a table of half precision. */
  GELU: {
    backward(emit, gradient, input) {
      const x = input();
      const squared = emit.multiply(x, x);
      const inner = emit.multiply(x, emit.scale(squared, rootTwoOverPi * geluCubic, rootTwoOverPi));
      const tanh = emit.unary(inner, 'TANH');
      const slope = emit.scale(squared, 3 * geluCubic * rootTwoOverPi, rootTwoOverPi);
      const bend = emit.multiply(emit.multiply(emit.scale(emit.multiply(tanh, tanh), -0.5, 0.5), x), slope);
      return emit.multiply(gradient, emit.add(emit.scale(tanh, 0.5, 0.5), bend));
    },
  },
  /** x Φ(x): Φ(x) + x φ(x). Φ is read off the forward function, away from the 0/0. */
  GELU_ERF: {
    backward(emit, gradient, input) {
      const x = input();
      const shifted = emit.scale(x, 1, 1e-6);
      const cumulative = emit.divide(emit.unary(shifted, 'GELU_ERF'), shifted);
      const density = emit.scale(emit.unary(emit.scale(emit.multiply(x, x), -0.5), 'EXP'), 1 / Math.sqrt(2 * Math.PI));
      return emit.multiply(gradient, emit.add(cumulative, emit.multiply(x, density)));
    },
  },
  /** x σ(1.702 x) */
  GELU_QUICK: {
    backward(emit, gradient, input) {
      const x = input();
      const scaled = emit.scale(x, 1.702);
      const sigmoid = emit.unary(scaled, 'SIGMOID');
      const bend = emit.multiply(emit.multiply(scaled, sigmoid), emit.scale(sigmoid, -1, 1));
      return emit.multiply(gradient, emit.add(sigmoid, bend));
    },
  },
};
