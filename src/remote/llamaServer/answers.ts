/** The forms of llama-server's answers (ggml-org/llama.cpp, tools/server/README.md), as far as they are read here. What more there is, is ignored. */
import * as v from 'valibot';

const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 31 - 1));
const bytes = v.array(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255)));
/** Nats; a little above 0 is rounding. */
const logprob = v.pipe(v.number(), v.finite(), v.maxValue(0.01));

/** GET /props */
export const propsSchema = v.object({
  default_generation_settings: v.object({ n_ctx: v.pipe(count, v.minValue(2)) }),
  model_path: v.optional(v.string(), ''),
  model_alias: v.optional(v.string()),
  model_ftype: v.optional(v.string()),
  chat_template: v.optional(v.string(), ''),
  bos_token: v.optional(v.string(), ''),
  eos_token: v.optional(v.string(), ''),
  build_info: v.optional(v.string(), ''),
});

/** GET /v1/models */
export const modelsSchema = v.object({
  data: v.array(
    v.object({
      id: v.string(),
      meta: v.nullish(
        v.object({ n_vocab: v.optional(count), n_embd: v.optional(count), size: v.optional(v.pipe(v.number(), v.minValue(0))) }),
      ),
    }),
  ),
});

/** POST /tokenize with_pieces: a piece that is no UTF-8 comes as its bytes. */
export const tokenizeSchema = v.object({ tokens: v.array(v.object({ id: count, piece: v.union([v.string(), bytes]) })) });

/** POST /detokenize */
export const detokenizeSchema = v.object({ content: v.string() });

/** POST /apply-template */
export const templateSchema = v.object({ prompt: v.string() });

const listed = v.object({ id: count, logprob, bytes: v.optional(bytes, []) });

/** POST /completion with n_predict 1. A token that is part of a character is generated and not reported. */
export const completionSchema = v.object({
  model: v.optional(v.string()),
  stop_type: v.optional(v.string()),
  truncated: v.optional(v.boolean()),
  tokens_predicted: v.optional(count, 1),
  completion_probabilities: v.optional(v.array(v.object({ ...listed.entries, top_logprobs: v.array(listed) })), []),
});

export type Completion = v.InferOutput<typeof completionSchema>;
