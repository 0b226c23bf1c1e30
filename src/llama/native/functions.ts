/**
 * The C functions we call, as koffi prototypes, with the types TypeScript sees.
 * Addresses (`Pointer`) are plain numbers; a JS typed array may stand wherever the callee only uses it during the call.
 */
import { graphSignatures } from './graphSignatures.ts';
import { base, ggml, llama, type Pointer, type Signature } from './signature.ts';
import type { Address, Batch, ContextParams, ModelParams, QuantizeParams } from './structs.ts';

export type { Pointer };

export const signatures = {
  ...graphSignatures,

  // runtime
  llama_version: llama<() => string>('str llama_version()'),
  llama_backend_init: llama<() => void>('void llama_backend_init()'),
  llama_log_set: llama<(callback: Address, data: Address) => void>('void llama_log_set(P callback, P data)'),
  llama_print_system_info: llama<() => string>('str llama_print_system_info()'),
  ggml_version: base<() => string>('str ggml_version()'),
  ggml_commit: base<() => string>('str ggml_commit()'),
  ggml_op_name: base<(op: number) => string>('str ggml_op_name(int op)'),
  ggml_backend_load: ggml<(file: string) => Pointer>('P ggml_backend_load(str file)'),

  // model
  llama_model_default_params: llama<() => ModelParams>('llama_model_params llama_model_default_params()'),
  llama_model_load_from_file: llama<(file: string, params: ModelParams) => Pointer>(
    'P llama_model_load_from_file(str file, llama_model_params params)',
  ),
  llama_model_free: llama<(model: Pointer) => void>('void llama_model_free(P model)'),
  llama_model_n_ctx_train: llama<(model: Pointer) => number>('int llama_model_n_ctx_train(P model)'),
  llama_model_n_embd: llama<(model: Pointer) => number>('int llama_model_n_embd(P model)'),
  llama_model_n_layer: llama<(model: Pointer) => number>('int llama_model_n_layer(P model)'),
  llama_model_n_head: llama<(model: Pointer) => number>('int llama_model_n_head(P model)'),
  llama_model_n_head_kv: llama<(model: Pointer) => number>('int llama_model_n_head_kv(P model)'),
  llama_model_ftype: llama<(model: Pointer) => number>('int llama_model_ftype(P model)'),
  llama_ftype_name: llama<(ftype: number) => string>('str llama_ftype_name(int ftype)'),
  llama_model_size: llama<(model: Pointer) => number>('uint64 llama_model_size(P model)'),
  llama_model_has_encoder: llama<(model: Pointer) => boolean>('bool llama_model_has_encoder(P model)'),
  llama_model_has_decoder: llama<(model: Pointer) => boolean>('bool llama_model_has_decoder(P model)'),
  llama_model_is_recurrent: llama<(model: Pointer) => boolean>('bool llama_model_is_recurrent(P model)'),
  llama_model_is_hybrid: llama<(model: Pointer) => boolean>('bool llama_model_is_hybrid(P model)'),
  llama_model_is_diffusion: llama<(model: Pointer) => boolean>('bool llama_model_is_diffusion(P model)'),
  /** Writes a NUL-terminated string; returns its length, or -1 when the key is absent. Arrays are not readable. */
  llama_model_meta_val_str: llama<(model: Pointer, key: string, buffer: Uint8Array, size: number) => number>(
    'int llama_model_meta_val_str(P model, str key, P buffer, size_t size)',
  ),
  llama_model_meta_count: llama<(model: Pointer) => number>('int llama_model_meta_count(P model)'),
  llama_model_meta_key_by_index: llama<(model: Pointer, index: number, buffer: Uint8Array, size: number) => number>(
    'int llama_model_meta_key_by_index(P model, int index, P buffer, size_t size)',
  ),
  llama_model_meta_val_str_by_index: llama<(model: Pointer, index: number, buffer: Uint8Array, size: number) => number>(
    'int llama_model_meta_val_str_by_index(P model, int index, P buffer, size_t size)',
  ),
  /** null when the file has none (an empty string never comes back). */
  llama_model_chat_template: llama<(model: Pointer, name: string | null) => string | null>(
    'str llama_model_chat_template(P model, str name)',
  ),
  llama_model_quantize_default_params: llama<() => QuantizeParams>(
    'llama_model_quantize_params llama_model_quantize_default_params()',
  ),
  llama_model_quantize: llama<(input: string, output: string, params: Partial<QuantizeParams>) => number>(
    'uint32 llama_model_quantize(str input, str output, llama_model_quantize_params* params)',
  ),

  // vocabulary
  llama_model_get_vocab: llama<(model: Pointer) => Pointer>('P llama_model_get_vocab(P model)'),
  llama_vocab_n_tokens: llama<(vocabulary: Pointer) => number>('int llama_vocab_n_tokens(P vocabulary)'),
  /** 0 none, 1 SentencePiece, 2 byte-level BPE, 3 WordPiece, 4 Unigram, 5 RWKV, 6 PLaMo-2. */
  llama_vocab_type: llama<(vocabulary: Pointer) => number>('int llama_vocab_type(P vocabulary)'),
  /** Bits: 1 unknown, 2 unused, 4 normal, 8 control, 16 user-defined, 32 byte, 64 normalised, 128 lstrip, 256 rstrip. */
  llama_vocab_get_attr: llama<(vocabulary: Pointer, token: number) => number>(
    'int llama_vocab_get_attr(P vocabulary, int token)',
  ),
  llama_vocab_get_text: llama<(vocabulary: Pointer, token: number) => string>(
    'str llama_vocab_get_text(P vocabulary, int token)',
  ),
  llama_vocab_get_score: llama<(vocabulary: Pointer, token: number) => number>(
    'float llama_vocab_get_score(P vocabulary, int token)',
  ),
  llama_vocab_is_eog: llama<(vocabulary: Pointer, token: number) => boolean>('bool llama_vocab_is_eog(P vocabulary, int token)'),
  llama_vocab_is_control: llama<(vocabulary: Pointer, token: number) => boolean>(
    'bool llama_vocab_is_control(P vocabulary, int token)',
  ),
  /** -1 when there is none; so with the next ones. */
  llama_vocab_bos: llama<(vocabulary: Pointer) => number>('int llama_vocab_bos(P vocabulary)'),
  llama_vocab_eos: llama<(vocabulary: Pointer) => number>('int llama_vocab_eos(P vocabulary)'),
  llama_vocab_eot: llama<(vocabulary: Pointer) => number>('int llama_vocab_eot(P vocabulary)'),
  llama_vocab_sep: llama<(vocabulary: Pointer) => number>('int llama_vocab_sep(P vocabulary)'),
  llama_vocab_nl: llama<(vocabulary: Pointer) => number>('int llama_vocab_nl(P vocabulary)'),
  llama_vocab_pad: llama<(vocabulary: Pointer) => number>('int llama_vocab_pad(P vocabulary)'),
  llama_vocab_mask: llama<(vocabulary: Pointer) => number>('int llama_vocab_mask(P vocabulary)'),
  llama_vocab_get_add_bos: llama<(vocabulary: Pointer) => boolean>('bool llama_vocab_get_add_bos(P vocabulary)'),
  llama_vocab_get_add_eos: llama<(vocabulary: Pointer) => boolean>('bool llama_vocab_get_add_eos(P vocabulary)'),
  llama_vocab_get_add_sep: llama<(vocabulary: Pointer) => boolean>('bool llama_vocab_get_add_sep(P vocabulary)'),
  /** Returns how many tokens were written, or minus the number that would be needed. `text` is UTF-8. */
  llama_tokenize: llama<
    (
      vocabulary: Pointer,
      text: Uint8Array,
      bytes: number,
      tokens: Int32Array,
      capacity: number,
      addSpecial: boolean,
      parseSpecial: boolean,
    ) => number
  >('int llama_tokenize(P vocabulary, P text, int bytes, P tokens, int capacity, bool add_special, bool parse_special)'),
  /** Writes bytes without a terminator; returns their number, or minus the number that would be needed. */
  llama_token_to_piece: llama<
    (
      vocabulary: Pointer,
      token: number,
      buffer: Uint8Array,
      size: number,
      leadingSpacesSkipped: number,
      special: boolean,
    ) => number
  >('int llama_token_to_piece(P vocabulary, int token, P buffer, int size, int lstrip, bool special)'),
  /** Returns bytes written, or minus the number that would be needed. */
  llama_detokenize: llama<
    (
      vocabulary: Pointer,
      tokens: Int32Array,
      count: number,
      buffer: Uint8Array,
      size: number,
      removeSpecial: boolean,
      unparseSpecial: boolean,
    ) => number
  >('int llama_detokenize(P vocabulary, P tokens, int count, P buffer, int size, bool remove_special, bool unparse_special)'),

  // context and evaluation
  llama_context_default_params: llama<() => ContextParams>('llama_context_params llama_context_default_params()'),
  llama_init_from_model: llama<(model: Pointer, params: ContextParams) => Pointer>(
    'P llama_init_from_model(P model, llama_context_params params)',
  ),
  llama_free: llama<(context: Pointer) => void>('void llama_free(P context)'),
  llama_n_ctx: llama<(context: Pointer) => number>('uint32 llama_n_ctx(P context)'),
  llama_batch_init: llama<(tokens: number, embedding: number, sequences: number) => Batch>(
    'llama_batch llama_batch_init(int tokens, int embedding, int sequences)',
  ),
  llama_batch_free: llama<(batch: Batch) => void>('void llama_batch_free(llama_batch batch)'),
  /** 0 done, 1 no room, 2 aborted, negative: failed. */
  llama_decode: llama<(context: Pointer, batch: Batch) => number>('int llama_decode(P context, llama_batch batch)'),
  llama_get_logits_ith: llama<(context: Pointer, index: number) => Pointer>('P llama_get_logits_ith(P context, int index)'),
  llama_set_abort_callback: llama<(context: Pointer, callback: Address, data: Address) => void>(
    'void llama_set_abort_callback(P context, P callback, P data)',
  ),
  llama_set_n_threads: llama<(context: Pointer, single: number, batch: number) => void>(
    'void llama_set_n_threads(P context, int single, int batch)',
  ),
  llama_get_memory: llama<(context: Pointer) => Pointer>('P llama_get_memory(P context)'),
  llama_memory_clear: llama<(memory: Pointer, data: boolean) => void>('void llama_memory_clear(P memory, bool data)'),
  llama_memory_seq_rm: llama<(memory: Pointer, sequence: number, from: number, to: number) => boolean>(
    'bool llama_memory_seq_rm(P memory, int sequence, int from, int to)',
  ),

  // tensors
  ggml_nbytes: base<(tensor: Pointer) => number>('size_t ggml_nbytes(P tensor)'),
  ggml_backend_tensor_get: base<(tensor: Pointer, buffer: ArrayBufferView, offset: number, bytes: number) => void>(
    'void ggml_backend_tensor_get(P tensor, P buffer, size_t offset, size_t bytes)',
  ),
  ggml_backend_tensor_set: base<(tensor: Pointer, buffer: ArrayBufferView, offset: number, bytes: number) => void>(
    'void ggml_backend_tensor_set(P tensor, P buffer, size_t offset, size_t bytes)',
  ),
} as const;

type Signatures = typeof signatures;
export type NativeFunctions = {
  readonly [Name in keyof Signatures]: Signatures[Name] extends Signature<infer Function_> ? Function_ : never;
};
