/** What is read of the configuration files beside a model. Fields that are not named here are ignored. */
import * as v from 'valibot';

const count = v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 31)));
const token = v.pipe(v.number(), v.integer(), v.minValue(-1), v.maxValue(2 ** 31));
const name = v.pipe(v.string(), v.maxLength(10_000));
const tokenIds = v.nullish(v.union([token, v.pipe(v.array(token), v.maxLength(10_000))]));

/** Sizes under the names that the families give them. */
const sizes = {
  hidden_size: count,
  n_embd: count,
  d_model: count,
  dim: count,
  num_attention_heads: count,
  n_head: count,
  n_heads: count,
  num_heads: count,
  num_key_value_heads: count,
  head_dim: count,
  d_kv: count,
  num_hidden_layers: count,
  n_layer: count,
  n_layers: count,
  num_layers: count,
  vocab_size: count,
  max_position_embeddings: count,
  n_positions: count,
  n_ctx: count,
  max_seq_len: count,
  bos_token_id: tokenIds,
  eos_token_id: tokenIds,
};

export const modelConfiguration = v.object({
  ...sizes,
  architectures: v.nullish(v.pipe(v.array(name), v.maxLength(100))),
  model_type: v.nullish(name),
  id2label: v.nullish(v.record(v.string(), name)),
  /** Models that also see or hear keep the sizes of their language model apart. */
  text_config: v.nullish(v.object(sizes)),
});
export type ModelConfigurationFile = v.InferOutput<typeof modelConfiguration>;

export const genaiConfiguration = v.object({
  model: v.object({
    type: v.nullish(name),
    bos_token_id: tokenIds,
    eos_token_id: tokenIds,
    context_length: count,
    vocab_size: count,
    decoder: v.nullish(
      v.object({
        filename: v.nullish(name),
        hidden_size: count,
        head_size: count,
        num_attention_heads: count,
        num_key_value_heads: count,
        num_hidden_layers: count,
      }),
    ),
  }),
});
export type GenaiConfigurationFile = v.InferOutput<typeof genaiConfiguration>;

export const generationConfiguration = v.object({ bos_token_id: tokenIds, eos_token_id: tokenIds });
export type GenerationConfigurationFile = v.InferOutput<typeof generationConfiguration>;

/** A token is written as its text, or as an object that says how it is to be recognised. */
const tokenText = v.nullish(v.union([name, v.object({ content: name })]));
const template = v.pipe(v.string(), v.maxLength(1_000_000));
const templates = v.union([template, v.pipe(v.array(v.object({ name, template })), v.maxLength(100))]);

export const tokenizerConfiguration = v.object({
  bos_token: tokenText,
  eos_token: tokenText,
  chat_template: v.nullish(templates),
});
export type TokenizerConfigurationFile = v.InferOutput<typeof tokenizerConfiguration>;

export const specialTokensMap = v.object({ bos_token: tokenText, eos_token: tokenText });
export const chatTemplateFile = v.object({ chat_template: templates });
