import type { GenaiConfigurationFile, GenerationConfigurationFile, ModelConfigurationFile } from './configurationSchemas.ts';

/** What the files beside a model say of it. The graph itself has the last word on sizes. */
export interface ModelConfiguration {
  readonly architecture: string;
  readonly modelType?: string;
  readonly hiddenSize?: number;
  readonly heads?: number;
  readonly kvHeads?: number;
  readonly headSize?: number;
  readonly layers?: number;
  readonly vocabulary?: number;
  readonly contextLength?: number;
  /** Tokens after which there is nothing more to say. */
  readonly eos: readonly number[];
  readonly bos: number | null;
  /** Names of a classifier's classes, by index. */
  readonly labels?: readonly string[];
}

type Maybe<Value> = Value | null | undefined;
type TokenIds = Maybe<number | readonly number[]>;

/** config.json, genai_config.json and generation_config.json as one; genai's, which describes the export itself, comes first. */
export function mergeConfiguration(
  config: ModelConfigurationFile | null,
  genai: GenaiConfigurationFile | null,
  generation: GenerationConfigurationFile | null,
): ModelConfiguration {
  const decoder = genai?.model.decoder;
  // A model that also sees or hears has sizes of its own at the top, where it has any.
  const text = config?.text_config ?? config;
  const modelType = config?.model_type ?? genai?.model.type;
  const lists = [genai?.model.eos_token_id, generation?.eos_token_id, text?.eos_token_id, config?.eos_token_id];
  return {
    architecture: config?.architectures?.[0] ?? modelType ?? 'unknown',
    ...known('modelType', modelType),
    ...known('hiddenSize', first(decoder?.hidden_size, text?.hidden_size, text?.n_embd, text?.d_model, text?.dim)),
    ...known(
      'heads',
      first(decoder?.num_attention_heads, text?.num_attention_heads, text?.n_head, text?.n_heads, text?.num_heads),
    ),
    ...known('kvHeads', first(decoder?.num_key_value_heads, text?.num_key_value_heads)),
    ...known('headSize', first(decoder?.head_size, text?.head_dim, text?.d_kv)),
    ...known(
      'layers',
      first(decoder?.num_hidden_layers, text?.num_hidden_layers, text?.n_layer, text?.n_layers, text?.num_layers),
    ),
    ...known('vocabulary', first(genai?.model.vocab_size, text?.vocab_size)),
    ...known(
      'contextLength',
      first(genai?.model.context_length, text?.max_position_embeddings, text?.n_positions, text?.n_ctx, text?.max_seq_len),
    ),
    eos: [...new Set(lists.flatMap(idsOf))].sort((a, b) => a - b),
    bos:
      [genai?.model.bos_token_id, text?.bos_token_id, config?.bos_token_id, generation?.bos_token_id].flatMap(idsOf)[0] ?? null,
    ...known('labels', labelsOf(config)),
  };
}

function first(...values: readonly Maybe<number>[]): number | undefined {
  return values.find((value) => value !== null && value !== undefined) ?? undefined;
}

function known<Key extends string, Value>(key: Key, value: Maybe<Value>): { [Name in Key]?: Value } {
  return value === null || value === undefined ? {} : ({ [key]: value } as { [Name in Key]?: Value });
}

/** −1 means "none" in files that cannot say null. */
function idsOf(ids: TokenIds): readonly number[] {
  const list = ids === null || ids === undefined ? [] : typeof ids === 'number' ? [ids] : ids;
  return list.filter((id) => id >= 0);
}

/** Null unless every class from 0 on has a name. */
function labelsOf(config: ModelConfigurationFile | null): readonly string[] | null {
  const table = config?.id2label;
  if (table === null || table === undefined) return null;
  const labels = Object.keys(table).map((_, index) => table[String(index)]);
  return labels.length > 0 && labels.every((label) => label !== undefined) ? labels : null;
}
