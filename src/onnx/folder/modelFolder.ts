import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type * as v from 'valibot';
import {
  chatTemplateFile,
  genaiConfiguration,
  generationConfiguration,
  modelConfiguration,
  specialTokensMap,
  tokenizerConfiguration,
} from './configurationSchemas.ts';
import type { TokenizerConfigurationFile } from './configurationSchemas.ts';
import { findOnnxFile } from './findOnnxFile.ts';
import { mergeConfiguration } from './mergeConfiguration.ts';
import type { ModelConfiguration } from './mergeConfiguration.ts';
import { readJsonFile, readSmallFile } from './readSmallFile.ts';

/** An ONNX model and what belongs to it. */
export interface ModelFolder {
  /** Absolute path. */
  readonly onnxFile: string;
  readonly configuration: ModelConfiguration;
  /** Absolute path of tokenizer.json. */
  readonly tokenizerFile: string | null;
  /** Jinja. */
  readonly chatTemplate: string | null;
  /** Texts of the tokens that the tokenizer's own files name. */
  readonly bosToken: string | null;
  readonly eosToken: string | null;
  /** What is missing or was chosen among several, for `models inspect`. */
  readonly notes: readonly string[];
}

const maximumJsonBytes = 16_000_000;
const maximumTemplateBytes = 4_000_000;

/**
 * Finds an ONNX model and reads the files that belong to it, in the layouts of optimum, transformers.js and
 * onnxruntime-genai. `path`: the .onnx file or a folder. Nothing is read outside the model's folder and, when that is called
 * `onnx`, the one above it; links are followed, as caches of downloads are made of them.
 * @throws E_MODEL_NOT_FOUND, E_MODEL_UNREADABLE, E_MODEL_FOLDER
 */
export async function readModelFolder(path: string): Promise<ModelFolder> {
  const { onnxFile, folders, notes } = await findOnnxFile(path);
  const json = <Schema extends v.GenericSchema>(name: string, schema: Schema) =>
    firstOf(folders, (folder) => readJsonFile(join(folder, name), schema, maximumJsonBytes));
  const config = await json('config.json', modelConfiguration);
  const genai = await json('genai_config.json', genaiConfiguration);
  const generation = await json('generation_config.json', generationConfiguration);
  const tokenizer = await json('tokenizer_config.json', tokenizerConfiguration);
  const special = await json('special_tokens_map.json', specialTokensMap);
  const jinja = await firstOf(folders, (folder) => readSmallFile(join(folder, 'chat_template.jinja'), maximumTemplateBytes));
  const template =
    jinja ?? chooseTemplate(tokenizer?.chat_template ?? (await json('chat_template.json', chatTemplateFile))?.chat_template);
  const tokenizerFile = await firstOf(folders, (folder) => existing(join(folder, 'tokenizer.json')));
  return {
    onnxFile,
    configuration: mergeConfiguration(config, genai, generation),
    tokenizerFile,
    chatTemplate: template === '' ? null : template,
    bosToken: textOf(tokenizer?.bos_token ?? special?.bos_token),
    eosToken: textOf(tokenizer?.eos_token ?? special?.eos_token),
    notes: [
      ...notes,
      ...(tokenizerFile === null ? ['no tokenizer.json was found: prompts can be given as token ids only'] : []),
      ...(config === null && genai === null
        ? ['no config.json or genai_config.json was found: only what the graph says is known']
        : []),
    ],
  };
}

async function firstOf<Value>(
  folders: readonly string[],
  read: (folder: string) => Promise<Value | null>,
): Promise<Value | null> {
  for (const folder of folders) {
    const value = await read(folder);
    if (value !== null) return value;
  }
  return null;
}

async function existing(file: string): Promise<string | null> {
  return await stat(file).then(
    (status) => (status.isFile() ? file : null),
    () => null,
  );
}

/** Of several named templates the one called `default`, else the first. */
function chooseTemplate(templates: TokenizerConfigurationFile['chat_template']): string | null {
  if (templates === null || templates === undefined || typeof templates === 'string') return templates ?? null;
  return (templates.find(({ name }) => name === 'default') ?? templates[0])?.template ?? null;
}

function textOf(token: TokenizerConfigurationFile['bos_token']): string | null {
  return typeof token === 'object' && token !== null ? token.content : (token ?? null);
}
