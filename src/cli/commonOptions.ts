/** Options that several verbs share, added in one place so that they read the same everywhere. */
import { Option, type Command } from 'commander';
import { namedText } from './input/namedValues.ts';
import { wholeNumber, wholeNumberList } from './input/numberArguments.ts';
import type { PromptOptions } from './input/promptSource.ts';

/** What every verb takes. */
export interface OutputOptions {
  readonly json?: true;
  readonly verbose?: true;
  /** `--color` / `--no-color`; undefined when neither was given. */
  readonly color?: boolean;
}

export interface ModelOptions {
  readonly model?: string;
  readonly threads: number;
  readonly context: number;
  /** Megabytes. */
  readonly gradientMemory?: number;
  readonly weightMemory?: number;
  readonly provider?: string;
}

export interface PromptVerbOptions extends OutputOptions, ModelOptions, PromptOptions {
  readonly seed: number;
}

/** A terabyte. */
const mostMegabytes = 1_048_576;

const precisions = ['as-served', 'dequantised'];
const formats = ['text', 'markdown', 'prompt-yml', 'messages-json'];

export function withOutputOptions(command: Command): Command {
  return command
    .option('--json', 'print one JSON object on standard output and nothing else')
    .option('--verbose', 'print phases, and the stack of an error')
    .option('--color', 'use colours even when standard output is not a terminal')
    .option('--no-color', 'use no colours')
    .addHelpText('after', '\nExit codes: 0 fine, 2 usage, 3 input, 4 model, 5 engine, 130 cancelled.')
    .setOptionValue('color', undefined);
}

/** The common options that mean nothing where no model is run, accepted so that a script may pass them to every verb. */
export function withUnusedCommonOptions(command: Command): Command {
  return command
    .addOption(new Option('--model <path>').hideHelp())
    .addOption(new Option('--threads <n>').argParser(wholeNumber(0, 512)).hideHelp())
    .addOption(new Option('--seed <n>').argParser(wholeNumber(0, 2 ** 32 - 1)).hideHelp());
}

/** Which arithmetic gradients are taken in. */
export function precisionOption(): Option {
  return new Option('--precision <kind>', 'gradients of the file as served, or of its weights in fp32').choices(precisions);
}

/** A prompt from FILE, `-` or `--ids`, a model to run it on, and what every verb takes. */
export function withPromptOptions(command: Command, files = '[FILE]'): Command {
  command
    .argument(files, 'the prompt: text, Markdown, .prompt.yml or a JSON message array; - reads standard input')
    .option(
      '--model <path>',
      'a GGUF or ONNX file, a folder with an ONNX model, or http://HOST:PORT of a server (default: the bundled model)',
    )
    .addOption(new Option('--raw', 'give the text to the model as it is').conflicts('chat'))
    .addOption(new Option('--chat', 'put the text through the model’s chat template').conflicts('ids'))
    .option('--ids <list>', 'token ids instead of FILE: 1,2,3', wholeNumberList(2 ** 31 - 1))
    .addOption(new Option('--format <name>', 'how FILE is read (default: by its ending)').choices(formats))
    .option('--var <name=value>', 'a value for a {{variable}} of the prompt; repeatable', namedText)
    .option('--threads <n>', 'native threads; 0 = physical cores but one', wholeNumber(0, 512), 0)
    .option('--context <n>', 'context length in tokens; 0 = the model’s own, at most 4096', wholeNumber(0, 1_048_576), 0)
    .option('--seed <n>', 'fixes everything random', wholeNumber(0, 2 ** 32 - 1), 0)
    .option('--gradient-memory <mb>', 'megabytes a gradient may take; 0 = half of the free memory', wholeNumber(0, mostMegabytes))
    .option(
      '--weight-memory <mb>',
      'megabytes of weights kept between gradients; 0 = none (default: a quarter of the free memory)',
      wholeNumber(0, mostMegabytes),
    )
    .option('--provider <name>', 'what ONNX Runtime computes ONNX models on: webgpu, cuda, coreml, dml, … (default: cpu)');
  return withOutputOptions(command);
}
