/** A tool that looks inside the model as a verb: its parameters become options, its other prompts further FILEs. */
import type { Readable } from 'node:stream';
import { Option } from 'commander';
import type { Tool } from '../../analysis/tools/tool.ts';
import { usage } from '../../shared/errorCatalog.ts';
import { toolParameter } from '../../shared/toolErrors.ts';
import type { ToolParameter, ToolParameters } from '../../shared/protocol/tools.ts';
import type { CommandContext } from '../commandContext.ts';
import { withPromptOptions, type PromptVerbOptions } from '../commonOptions.ts';
import { withEngine } from '../engineSession.ts';
import { anyNumber, wholeNumber } from '../input/numberArguments.ts';
import { promptSource } from '../input/promptSource.ts';
import { readPromptText } from '../input/readPromptText.ts';
import { chosenTarget, type TargetOptions, withTargetOptions } from '../input/targetOptions.ts';
import { toJson } from '../../shared/toJson.ts';
import { createScreen } from '../terminal/screen.ts';
import { toolView } from '../terminal/toolView.ts';
import type { Verb } from '../verb.ts';

type ToolOptions = PromptVerbOptions & TargetOptions & Readonly<Record<string, unknown>>;

export function toolVerb(tool: Tool): Verb {
  return {
    register(program, context) {
      const command = withPromptOptions(program.command(tool.id).description(tool.question));
      const others = tool.parameters.filter((parameter) => parameter.kind === 'prompt');
      // Which are needed is known once --ids was read: then there is no FILE before them.
      for (const { id, help } of others) command.argument(`[${id.toUpperCase()}]`, help);
      command.usage(['[options] [FILE]', ...others.map(placeOf)].join(' '));
      for (const parameter of tool.parameters) if (parameter.kind !== 'prompt') command.addOption(optionOf(parameter));
      if (tool.usesTarget) withTargetOptions(command);
      else command.option('--max-tokens <n>', 'response tokens generated where the tool needs some', wholeNumber(1, 4096));
      command.action(async (...given: unknown[]) => {
        const options = given[1 + others.length] as ToolOptions;
        const named = given.slice(0, 1 + others.length).filter((file) => file !== undefined) as string[];
        const hasFile = options.ids === undefined || named.length > others.length;
        const [file, ...files] = hasFile ? named : [undefined, ...named];
        const missing = others.find(({ required }, index) => required === true && files[index] === undefined);
        if (missing !== undefined) {
          throw usage(
            `missing required argument '${missing.id.toUpperCase()}'`,
            `run prompt-loupe ${tool.id} --help to see what it takes`,
          );
        }
        await runVerb(tool, file, files, options, context);
      });
    },
  };
}

function placeOf({ id, required }: Extract<ToolParameter, { readonly kind: 'prompt' }>): string {
  return required === true ? `<${id.toUpperCase()}>` : `[${id.toUpperCase()}]`;
}

async function runVerb(
  tool: Tool,
  file: string | undefined,
  files: readonly (string | undefined)[],
  options: ToolOptions,
  context: CommandContext,
): Promise<void> {
  const request = chosenTarget(options);
  const prompt = await promptSource(file, options, context);
  const parameters = await givenParameters(tool, files, options, context);
  const result = await withEngine(context, options, (engine) => engine.tool({ tool: tool.id, prompt, parameters, ...request }));
  const screen = createScreen(context, options.color);
  screen.print(options.json === true ? [toJson(result.data)] : toolView(result, screen.theme, screen.columns));
}

async function givenParameters(
  tool: Tool,
  files: readonly (string | undefined)[],
  options: ToolOptions,
  { stdin, signal }: CommandContext,
): Promise<ToolParameters> {
  const parameters: Record<string, string | number | boolean> = {};
  const rest = [...files];
  for (const { id, kind } of tool.parameters) {
    const given = kind === 'prompt' ? rest.shift() : options[camelCase(id)];
    if (given === undefined) continue;
    const value = given as string | number | boolean;
    if (kind === 'prompt' || kind === 'file') parameters[id] = await fileText(tool.id, id, String(value), stdin, signal);
    else parameters[id] = value;
  }
  return parameters;
}

/** A parameter that is empty counts as left out; a file that was named was not. @throws E_TOOL_PARAMETER, and as `readPromptText` */
async function fileText(tool: string, id: string, file: string, stdin: Readable, signal: AbortSignal): Promise<string> {
  const text = await readPromptText(file, stdin, signal);
  if (text.trim() === '') throw toolParameter(tool, id, 'the file is empty', 'give a file that holds something');
  return text;
}

function optionOf(parameter: ToolParameter): Option {
  const { id, help } = parameter;
  switch (parameter.kind) {
    case 'choice':
      return new Option(`--${id} <kind>`, `${help} (default: ${parameter.default})`).choices([...parameter.choices]);
    case 'boolean':
      return new Option(`--${id}`, help);
    case 'number':
      return new Option(`--${id} <n>`, `${help} (default: ${parameter.default})`).argParser(anyNumber);
    case 'file':
      return new Option(`--${id} <file>`, help);
    default:
      return new Option(`--${id} <text>`, help);
  }
}

/** As commander names an option's value. */
function camelCase(id: string): string {
  return id.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
