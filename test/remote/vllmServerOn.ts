/**
 * A server on the loopback interface that speaks the documented form of vLLM (vllm/entrypoints/openai/completion and
 * vllm/entrypoints/serve/tokenize) over a real GGUF file. What it says comes of the model: the plain softmax whatever is sampled,
 * tokens as the vocabulary spells them, texts as Hugging Face's tokenisers join them. It is no vLLM.
 */
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import type { LlamaModel } from '../../src/llama/llamaModel.ts';
import { tokenAttribute, type Vocabulary } from '../../src/llama/tokenizer/vocabulary.ts';
import { logSumExp } from '../../src/model/logSumExp.ts';
import { toLoupeError } from '../../src/shared/errors.ts';
import { loadVocabulary } from '../llama/tokenizer/loadVocabulary.ts';
import { type JsonServer, serveJson } from './serveJson.ts';

export interface VllmOptions {
  /** `--max-logprobs`; −1: the whole vocabulary. */
  readonly maxLogprobs?: number;
  /** Numbers of another distribution than the plain softmax. */
  readonly temperature?: number;
  /** What it does not have. */
  readonly without?: 'tokenize' | 'spelling' | 'prompt_logprobs' | 'allowed_token_ids';
}

export interface VllmServer extends JsonServer {
  /** The same file, opened directly. */
  readonly direct: LlamaModel;
}

type Answer = readonly [number, unknown];

const id = 'tiny';
const refused = (message: string): Answer => [400, { error: { message, type: 'BadRequestError', param: null, code: 400 } }];

export async function startVllmServer(file: string, options: VllmOptions = {}): Promise<VllmServer> {
  const direct = await openLlamaModel(file, { threads: 1, contextLength: 512 });
  const vocabulary = await loadVocabulary(file);
  const server = await serveJson(0, async ({ path, body }) => {
    if (body['model'] !== undefined && body['model'] !== id) return [404, { error: { message: 'no such model' } }];
    switch (path) {
      case '/v1/models':
        return [200, { object: 'list', data: [{ id, object: 'model', max_model_len: direct.info.contextLength }] }];
      case '/tokenize':
        return options.without === 'tokenize'
          ? [404, { detail: 'Not Found' }]
          : await tokenize(direct, vocabulary, body, options.without !== 'spelling');
      case '/detokenize':
        return [200, { prompt: decode(vocabulary, body['tokens'] as number[]) }];
      case '/v1/completions':
        return await complete(direct, vocabulary, body, options);
      default:
        return [404, { detail: 'Not Found' }];
    }
  });
  return {
    ...server,
    direct,
    close: async () => {
      await server.close();
      await direct.dispose();
    },
  };
}

async function tokenize(
  { tokenizer, info }: LlamaModel,
  vocabulary: Vocabulary,
  body: Record<string, unknown>,
  spells: boolean,
): Promise<Answer> {
  let text = String(body['prompt']);
  let addSpecial = body['add_special_tokens'] !== false;
  if (body['messages'] !== undefined) {
    try {
      const messages = body['messages'] as { role: string; content: string }[];
      text = await tokenizer.renderChat(messages, { addGenerationPrompt: body['add_generation_prompt'] !== false });
      addSpecial = body['add_special_tokens'] === true;
    } catch (error) {
      return refused(toLoupeError(error).message);
    }
  }
  const { tokens } = await tokenizer.encode(text, { addSpecial, parseSpecial: true });
  const ids = tokens.map((token) => token.id);
  const spelled = spells && body['return_token_strs'] === true ? ids.map((each) => vocabulary.text(each)) : null;
  return [200, { count: ids.length, max_model_len: info.contextLength, tokens: ids, token_strs: spelled }];
}

/** As Hugging Face's tokenisers: numbers without a token are left out, and SentencePiece's first space is taken away. */
function decode(vocabulary: Vocabulary, ids: readonly number[]): string {
  const bytes = Buffer.concat(ids.filter((each) => vocabulary.has(each)).map((each) => vocabulary.piece(each)));
  const text = bytes.toString('utf8');
  return vocabulary.kind === 'sentencepiece' ? text.replace(/^ /, '') : text;
}

async function complete(
  model: LlamaModel,
  vocabulary: Vocabulary,
  body: Record<string, unknown>,
  { maxLogprobs = 20, temperature = 1, without }: VllmOptions,
): Promise<Answer> {
  const prompt = body['prompt'] as number[];
  const maxTokens = Number(body['max_tokens'] ?? 16);
  const asked = body['logprobs'] as number | undefined;
  const allowed = without === 'allowed_token_ids' ? undefined : (body['allowed_token_ids'] as number[] | undefined);
  if (prompt.length + maxTokens > model.info.contextLength) return refused('This model’s maximum context length is exceeded.');
  if (prompt.some((each) => !vocabulary.has(each))) return refused('Token id is out of vocabulary');
  for (const length of [asked, body['prompt_logprobs'] as number | undefined]) {
    if (length !== undefined && maxLogprobs >= 0 && (length < 0 || length > maxLogprobs)) {
      return refused(`Requested logprobs of ${length}, which is greater than max allowed: ${maxLogprobs}`);
    }
  }
  const tokens: number[] = [];
  const top: Record<string, number>[] = [];
  let reason = 'length';
  while (tokens.length < maxTokens && reason === 'length') {
    const row = await rowAfter(model, [...prompt, ...tokens]);
    const sampled = (allowed ?? [...row.keys()]).reduce((best, each) => ((row[each] ?? 0) > (row[best] ?? 0) ? each : best));
    // −1 lists none here, as the code of vLLM reads.
    const length = Math.max(0, asked ?? 0);
    top.push(
      Object.fromEntries(
        listed(
          row.map((logit) => logit / temperature),
          length,
          sampled,
          (each) => `token_id:${each}`,
        ),
      ),
    );
    tokens.push(sampled);
    if (vocabulary.isEndOfGeneration(sampled)) reason = 'stop';
  }
  const named = tokens.map((each) => `token_id:${each}`);
  const said = tokens.filter((each) => !vocabulary.is(each, tokenAttribute.control));
  const choice = {
    index: 0,
    text: decode(vocabulary, [...prompt, ...said]).slice(decode(vocabulary, prompt).length),
    finish_reason: reason,
    stop_reason: null,
    logprobs: asked === undefined ? null : { text_offset: [], token_logprobs: [], tokens: named, top_logprobs: top },
    prompt_logprobs:
      body['prompt_logprobs'] === undefined || without === 'prompt_logprobs'
        ? null
        : await ofPrompt(model, prompt, Number(body['prompt_logprobs'])),
  };
  return [200, { id: 'cmpl-1', object: 'text_completion', created: 0, model: id, choices: [choice], usage: {} }];
}

/** Each token of the prompt beside the likeliest at its place. */
async function ofPrompt(model: LlamaModel, prompt: readonly number[], length: number) {
  const entries: (Record<string, { logprob: number; rank: number; decoded_token: string }> | null)[] = [null];
  for (let position = 1; position < prompt.length; position++) {
    const row = await rowAfter(model, prompt.slice(0, position));
    const numbers = listed(row, length < 0 ? row.length : length, prompt[position] ?? 0, String);
    entries.push(Object.fromEntries(numbers.map(([each, logprob]) => [each, { logprob, rank: 1, decoded_token: '' }])));
  }
  return entries;
}

/** Logits, [vocabulary]. */
async function rowAfter(model: LlamaModel, tokens: readonly number[]): Promise<Float32Array> {
  return (await model.forward({ tokens: Int32Array.from(tokens), logits: 'last' })).logits?.values ?? new Float32Array(0);
}

/** The likeliest tokens and one more, with log-probabilities; −9999 stands for −∞. */
function listed(row: Float32Array, length: number, more: number, name: (token: number) => string): [string, number][] {
  const total = logSumExp(row);
  const order = [...row.keys()].sort((a, b) => (row[b] as number) - (row[a] as number)).slice(0, length);
  return [...new Set([...order, more])].map((each) => [name(each), Math.max((row[each] as number) - total, -9999)]);
}
