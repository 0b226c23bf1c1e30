/**
 * Layouts of the C structs that cross into llama.cpp, as plain data: field → type, in declaration order.
 * The test compares them with the offsets a C compiler gives for the header of exactly this release.
 * `pointer` comes back as a BigInt (or null) and may be given as a number, a BigInt or, for the time of a call, a typed array.
 */
/** What may be passed as an address: native memory, a registered callback, or a buffer for the time of the call. */
export type Address = number | bigint | ArrayBufferView;

export type FieldType =
  | 'pointer'
  | 'int32'
  | 'uint32'
  | 'float'
  | 'bool'
  | 'size_t'
  | { readonly array: 'int32' | 'int64' | 'size_t' | 'pointer' | 'char'; readonly length: number };

export type StructLayout = Readonly<Record<string, FieldType>>;

const modelParams = {
  devices: 'pointer',
  tensor_buft_overrides: 'pointer',
  n_gpu_layers: 'int32',
  split_mode: 'int32',
  load_mode: 'int32',
  lazy_mode: 'int32',
  main_gpu: 'int32',
  tensor_split: 'pointer',
  progress_callback: 'pointer',
  progress_callback_user_data: 'pointer',
  kv_overrides: 'pointer',
  vocab_only: 'bool',
  check_tensors: 'bool',
  use_extra_bufts: 'bool',
  no_host: 'bool',
  no_alloc: 'bool',
  load_mtp: 'bool',
} as const;

const contextParams = {
  n_ctx: 'uint32',
  n_batch: 'uint32',
  n_ubatch: 'uint32',
  n_seq_max: 'uint32',
  n_rs_seq: 'uint32',
  n_outputs_max: 'uint32',
  n_outputs_max_per_seq: 'uint32',
  n_threads: 'int32',
  n_threads_batch: 'int32',
  ctx_type: 'int32',
  rope_scaling_type: 'int32',
  pooling_type: 'int32',
  attention_type: 'int32',
  flash_attn_type: 'int32',
  rope_freq_base: 'float',
  rope_freq_scale: 'float',
  yarn_ext_factor: 'float',
  yarn_attn_factor: 'float',
  yarn_beta_fast: 'float',
  yarn_beta_slow: 'float',
  yarn_orig_ctx: 'uint32',
  defrag_thold: 'float',
  cb_eval: 'pointer',
  cb_eval_user_data: 'pointer',
  type_k: 'int32',
  type_v: 'int32',
  abort_callback: 'pointer',
  abort_callback_data: 'pointer',
  embeddings: 'bool',
  offload_kqv: 'bool',
  no_perf: 'bool',
  op_offload: 'bool',
  swa_full: 'bool',
  kv_unified: 'bool',
  samplers: 'pointer',
  n_samplers: 'size_t',
  ctx_other: 'pointer',
} as const;

const batch = {
  n_tokens: 'int32',
  token: 'pointer',
  embd: 'pointer',
  pos: 'pointer',
  n_seq_id: 'pointer',
  seq_id: 'pointer',
  logits: 'pointer',
} as const;

const tensor = {
  type: 'int32',
  buffer: 'pointer',
  ne: { array: 'int64', length: 4 },
  nb: { array: 'size_t', length: 4 },
  op: 'int32',
  op_params: { array: 'int32', length: 16 },
  flags: 'int32',
  src: { array: 'pointer', length: 10 },
  view_src: 'pointer',
  view_offs: 'size_t',
  data: 'pointer',
  name: { array: 'char', length: 64 },
  extra: 'pointer',
  padding: { array: 'char', length: 8 },
} as const;

const quantizeParams = {
  nthread: 'int32',
  ftype: 'int32',
  output_tensor_type: 'int32',
  token_embedding_type: 'int32',
  allow_requantize: 'bool',
  quantize_output_tensor: 'bool',
  only_copy: 'bool',
  pure: 'bool',
  keep_split: 'bool',
  dry_run: 'bool',
  imatrix: 'pointer',
  kv_overrides: 'pointer',
  tt_overrides: 'pointer',
  prune_layers: 'pointer',
  max_buf_size: 'size_t',
} as const;

const initParams = { mem_size: 'size_t', mem_buffer: 'pointer', no_alloc: 'bool' } as const;

/** Keyed by the name of the struct in the header. */
export const structLayouts = {
  llama_model_params: modelParams,
  llama_context_params: contextParams,
  llama_batch: batch,
  ggml_tensor: tensor,
  llama_model_quantize_params: quantizeParams,
  ggml_init_params: initParams,
} as const satisfies Readonly<Record<string, StructLayout>>;

type FieldValue<T> = T extends 'bool' ? boolean : T extends 'pointer' ? Address | null : number;

type StructValue<T> = { -readonly [Field in keyof T]: FieldValue<T[Field]> };

export type ModelParams = StructValue<typeof modelParams>;
export type ContextParams = StructValue<typeof contextParams>;
export type Batch = StructValue<typeof batch>;
export type InitParams = StructValue<typeof initParams>;
export type QuantizeParams = StructValue<typeof quantizeParams>;

/** Bytes of a `struct ggml_tensor` and where the fields we read lie in it; the layout test compares them too. */
export const tensorOffsets = {
  size: 336,
  type: 0,
  buffer: 8,
  ne: 16,
  nb: 48,
  operator: 80,
  operatorParameters: 84,
  flags: 148,
  sources: 152,
  sourceCount: 10,
  viewSource: 232,
  viewOffset: 240,
  data: 248,
  name: 256,
  nameLength: 64,
} as const;
