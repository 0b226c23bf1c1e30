/**
 * A server on the loopback interface that speaks llama-server's protocol (ggml-org/llama.cpp, tools/server) over a real GGUF file. What
 * it says comes of the model, as llama-server would say it: the plain softmax whatever is sampled, no report of a token that is part of
 * a character, a refusal of prompts that do not fit.
 */
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import type { LlamaModel } from '../../src/llama/llamaModel.ts';
import type { Vocabulary } from '../../src/llama/tokenizer/vocabulary.ts';
import { logSumExp } from '../../src/model/logSumExp.ts';
import { loadVocabulary } from '../llama/tokenizer/loadVocabulary.ts';
import { type Asked, type JsonServer, serveJson } from './serveJson.ts';

export interface RunningServer extends JsonServer {
  /** The same file, opened directly. */
  readonly direct: LlamaModel;
}

export interface ServerOptions {
  readonly contextLength?: number;
  readonly apiKey?: string;
  /** Where it listens; absent: wherever there is room. */
  readonly port?: number;
  /** An older server, which reports what was sampled after its samplers: a forced token looks certain. */
  readonly biased?: true;
  /** No list of models, so that the vocabulary must be counted. */
  readonly withoutModels?: true;
  /** The most it lists, whatever is asked. */
  readonly mostListed?: number;
}

export async function startLlamaServer(file: string, options: ServerOptions = {}): Promise<RunningServer> {
  const direct = await openLlamaModel(file, { threads: 1, contextLength: options.contextLength ?? 512 });
  const vocabulary = await loadVocabulary(file);

  async function answer({ path, body, authorization }: Asked): Promise<[number, unknown]> {
    if (options.apiKey !== undefined && authorization !== `Bearer ${options.apiKey}`) {
      return [401, { error: { message: 'Invalid API Key', type: 'authentication_error', code: 401 } }];
    }
    switch (path) {
      case '/props':
        return [200, await propsOf(direct, file)];
      case '/v1/models':
        return options.withoutModels === true
          ? [404, { error: { message: 'File Not Found' } }]
          : [
              200,
              {
                data: [
                  {
                    id: 'model',
                    meta: { n_vocab: direct.info.vocabulary, n_embd: direct.info.hidden, size: direct.info.fileBytes },
                  },
                ],
              },
            ];
      case '/tokenize':
        return [200, { tokens: await tokenize(direct, vocabulary, body) }];
      case '/detokenize':
        return [200, { content: await direct.tokenizer.decode(body['tokens'] as number[]) }];
      case '/apply-template': {
        const messages = body['messages'] as { role: string; content: string }[];
        return [
          200,
          {
            prompt: await direct.tokenizer.renderChat(messages, { addGenerationPrompt: body['add_generation_prompt'] === true }),
          },
        ];
      }
      case '/completion':
        return await complete(direct, vocabulary, body, options);
      default:
        return [404, { error: { message: 'File Not Found' } }];
    }
  }

  const server = await serveJson(options.port ?? 0, answer);
  return {
    ...server,
    direct,
    close: async () => {
      await server.close();
      await direct.dispose();
    },
  };
}

async function propsOf({ info, tokenizer }: LlamaModel, file: string) {
  const { bos, eos, chatTemplate } = await tokenizer.special();
  const [bosText = ''] = bos === null ? [] : await tokenizer.pieces([bos]);
  const [eosText = ''] = eos === null ? [] : await tokenizer.pieces([eos]);
  return {
    default_generation_settings: { n_ctx: info.contextLength },
    model_path: file,
    model_ftype: info.quantization,
    chat_template: chatTemplate ?? '',
    bos_token: bosText,
    eos_token: eosText,
    build_info: 'test',
  };
}

async function tokenize({ tokenizer }: LlamaModel, vocabulary: Vocabulary, body: Record<string, unknown>) {
  const { tokens } = await tokenizer.encode(String(body['content']), {
    addSpecial: body['add_special'] === true,
    parseSpecial: body['parse_special'] !== false,
  });
  return tokens.map(({ id }) => {
    const bytes = vocabulary.piece(id);
    return { id, piece: isUtf8(bytes) ? Buffer.from(bytes).toString('utf8') : [...bytes] };
  });
}

async function complete(
  model: LlamaModel,
  vocabulary: Vocabulary,
  body: Record<string, unknown>,
  { biased, mostListed = Number.POSITIVE_INFINITY }: ServerOptions,
): Promise<[number, unknown]> {
  const prompt = Int32Array.from(body['prompt'] as number[]);
  const { contextLength } = model.info;
  if (prompt.length >= contextLength) {
    const message = 'the request exceeds the available context size';
    return [400, { error: { message, type: 'exceed_context_size_error', n_prompt_tokens: prompt.length, n_ctx: contextLength } }];
  }
  const { logits } = await model.forward({ tokens: prompt, logits: 'last' });
  const row = logits?.values ?? new Float32Array(0);
  const sampledFrom = row.slice();
  for (const [id, bias] of (body['logit_bias'] ?? []) as [number, number][]) sampledFrom[id] = (sampledFrom[id] ?? 0) + bias;
  const reportedFrom = biased === true ? sampledFrom : row;
  const total = logSumExp(reportedFrom);
  const report = (id: number) => ({
    id,
    token: '',
    bytes: [...vocabulary.piece(id)],
    logprob: Math.max((reportedFrom[id] ?? 0) - total, -3.4e38),
  });
  const order = [...reportedFrom.keys()].sort((a, b) => (reportedFrom[b] as number) - (reportedFrom[a] as number));
  const sampled = sampledFrom.indexOf(sampledFrom.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY));
  const reported = {
    ...report(sampled),
    top_logprobs: order.slice(0, Math.min(Number(body['n_probs']), mostListed)).map(report),
  };
  return [
    200,
    {
      model: 'model',
      stop_type: vocabulary.isEndOfGeneration(sampled) ? 'eos' : 'limit',
      truncated: false,
      tokens_predicted: 1,
      ...(isUtf8(vocabulary.piece(sampled)) ? { completion_probabilities: [reported] } : {}),
    },
  ];
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
