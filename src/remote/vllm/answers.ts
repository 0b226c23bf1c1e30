/** The forms of vLLM's answers (vllm-project/vllm, vllm/entrypoints), as far as they are read here. What more there is, is ignored. */
import * as v from 'valibot';

const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 31 - 1));
/** Nats; a little above 0 is rounding. */
const logprob = v.pipe(v.number(), v.finite(), v.maxValue(0.01));

/** GET /v1/models; every server of the OpenAI form has it. */
export const modelsSchema = v.object({ data: v.array(v.object({ id: v.string() })) });

/** POST /tokenize with return_token_strs: tokens as the vocabulary spells them. */
export const tokenizeSchema = v.object({
  tokens: v.array(count),
  token_strs: v.nullish(v.array(v.string())),
  max_model_len: v.pipe(count, v.minValue(3)),
});

/** POST /detokenize */
export const detokenizeSchema = v.object({ prompt: v.string() });

/** `token_id:5` → its number, where tokens are asked for as ids. */
const byId = v.record(v.pipe(v.string(), v.regex(/^token_id:\d{1,10}$/)), logprob);

/** POST /v1/completions for one prompt. */
export const completionSchema = v.object({
  model: v.string(),
  choices: v.pipe(
    v.array(
      v.object({
        text: v.string(),
        finish_reason: v.nullish(v.string()),
        logprobs: v.nullish(
          v.object({
            tokens: v.array(v.pipe(v.string(), v.regex(/^token_id:\d{1,10}$/))),
            top_logprobs: v.array(v.nullable(byId)),
          }),
        ),
        /** One entry a token of the prompt, the first is null. Each holds the token itself beside the likeliest. */
        prompt_logprobs: v.nullish(
          v.array(v.nullable(v.record(v.pipe(v.string(), v.regex(/^\d{1,10}$/)), v.object({ logprob })))),
        ),
      }),
    ),
    v.length(1),
  ),
});
