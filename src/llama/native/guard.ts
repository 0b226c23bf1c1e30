/** Refuses any llama.cpp but the one whose struct layouts, names and behaviour this code was written against. */
import { runtimeMismatch } from '../../shared/errorCatalog.ts';
import type { NativeFunctions } from './functions.ts';

/** Version strings of the pinned release, node-llama-cpp 3.21.1. */
const pinnedRelease = { llama: '0.4.0-dev', ggml: '0.23.0', commit: '5b4ebc5' } as const;

/** Operators that the code knows by number or by name. */
export const operators = [
  'GET_ROWS',
  'RMS_NORM',
  'NORM',
  'MUL_MAT',
  'MUL',
  'ADD',
  'SCALE',
  'SOFT_MAX',
  'ROPE',
  'CONT',
  'GLU',
  'UNARY',
] as const;

/** @throws E_RUNTIME_MISMATCH */
export function assertPinnedRelease(functions: NativeFunctions): void {
  const found = { llama: functions.llama_version(), ggml: functions.ggml_version(), commit: functions.ggml_commit() };
  for (const part of ['llama', 'ggml', 'commit'] as const) {
    if (found[part] !== pinnedRelease[part]) {
      throw runtimeMismatch(`its ${part} version is ${found[part]}, expected ${pinnedRelease[part]}`);
    }
  }
  const shifted = shiftedDefaults(functions);
  if (shifted !== null) throw runtimeMismatch(`the struct layout differs at ${shifted}`);
  const names = operatorNames(functions);
  for (const operator of operators) {
    if (!names.includes(operator)) throw runtimeMismatch(`the operator ${operator} is gone`);
  }
}

/** Default values that a shifted field would spoil; the name of the first one that is not as expected. */
function shiftedDefaults(functions: NativeFunctions): string | null {
  const context = functions.llama_context_default_params();
  const model = functions.llama_model_default_params();
  const canaries: readonly (readonly [string, unknown, unknown])[] = [
    ['n_ctx', context.n_ctx, 512],
    ['n_batch', context.n_batch, 2048],
    ['n_ubatch', context.n_ubatch, 512],
    ['n_seq_max', context.n_seq_max, 1],
    ['rope_scaling_type', context.rope_scaling_type, -1],
    ['flash_attn_type', context.flash_attn_type, -1],
    ['cb_eval', context.cb_eval, null],
    ['type_k', context.type_k, 1],
    ['type_v', context.type_v, 1],
    ['offload_kqv', context.offload_kqv, true],
    ['no_perf', context.no_perf, true],
    ['n_samplers', context.n_samplers, 0],
    ['ctx_other', context.ctx_other, null],
    ['kv_overrides', model.kv_overrides, null],
    ['vocab_only', model.vocab_only, false],
    ['use_extra_bufts', model.use_extra_bufts, true],
    ['no_alloc', model.no_alloc, false],
  ];
  for (const [field, found, expected] of canaries) if (found !== expected) return field;
  return null;
}

/** Name → number of unary (`SILU`, `TANH`, …) and gated (`SWIGLU`, …) operators, which change between releases as well. */
export function unaryNumbers(functions: NativeFunctions): ReadonlyMap<string, number> {
  return numbersUpTo('TRUNC', functions.ggml_unary_op_name);
}

export function gatedNumbers(functions: NativeFunctions): ReadonlyMap<string, number> {
  return numbersUpTo('SWIGLU_CLAMP', functions.ggml_glu_op_name);
}

/** Reads names until the last one of the pinned release; reading past it would be out of bounds. */
function numbersUpTo(last: string, nameOf: (index: number) => string): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (let index = 0; index < 64 && !numbers.has(last); index++) numbers.set(nameOf(index), index);
  return numbers;
}

/** Index = operator number, which changes between releases. Ends with the last name the library knows. */
export function operatorNames(functions: NativeFunctions): readonly string[] {
  const names: string[] = [];
  // The table ends with GLU; its length is not exported, and reading past it would be out of bounds.
  for (let index = 0; index < 200 && names.at(-1) !== 'GLU'; index++) names.push(functions.ggml_op_name(index));
  return names;
}
