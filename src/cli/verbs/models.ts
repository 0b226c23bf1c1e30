import type { ModelTask } from '../../shared/modelTask.ts';
import type { FoundModel, ModelSummary } from '../../shared/protocol/engine.ts';
import type { CommandContext } from '../commandContext.ts';
import { withOutputOptions, withUnusedCommonOptions, type OutputOptions } from '../commonOptions.ts';
import { keyOption, namedModel, withIdleEngine } from '../engineSession.ts';
import { toJson } from '../../shared/toJson.ts';
import { padWidth } from '../terminal/displayWidth.ts';
import { graphRows } from '../terminal/graphRows.ts';
import { bytes } from '../terminal/numbers.ts';
import { createScreen } from '../terminal/screen.ts';
import type { Theme } from '../terminal/theme.ts';
import { visibleText } from '../terminal/visibleText.ts';
import type { Verb } from '../verb.ts';

interface ModelsOptions extends OutputOptions {
  readonly folder?: readonly string[];
}

export const modelsVerb: Verb = {
  register(program, context) {
    const models = withUnusedCommonOptions(withOutputOptions(program.command('models').description('Models on this machine')))
      .option('--folder <path>', 'also look in this folder; repeatable', (value: string, before: string[] = []) => [
        ...before,
        value,
      ])
      .allowExcessArguments(false)
      .action((options: ModelsOptions) => list(options, context));
    withUnusedCommonOptions(
      withOutputOptions(models.command('inspect').description('What is recognised in a model file, or of a model on a server')),
    )
      .argument('<PATH>', 'a GGUF or ONNX file, a folder with an ONNX model, or the address of a server')
      .action((file: string, _: OutputOptions, command: { optsWithGlobals(): OutputOptions }) =>
        inspect(file, command.optsWithGlobals(), context),
      );
  },
};

async function list(options: ModelsOptions, context: CommandContext): Promise<void> {
  const models = await withIdleEngine(context, options, (engine) => engine.listModels(options.folder ?? []));
  const screen = createScreen(context, options.color);
  screen.print(options.json === true ? [toJson({ models })] : listView(models, screen.theme));
}

async function inspect(file: string, options: OutputOptions, context: CommandContext): Promise<void> {
  const summary = await withIdleEngine(context, options, (engine) => engine.inspect(namedModel(file), keyOption(file, context)));
  const screen = createScreen(context, options.color);
  screen.print(options.json === true ? [toJson(summary)] : summaryView(summary, screen.theme));
}

function listView(models: readonly FoundModel[], theme: Theme): string[] {
  if (models.length === 0) return ['No models found. Give a folder with --folder.'];
  return models.map(
    ({ name, file, bytes: size, source }) =>
      `${theme.bold(padWidth(visibleText(name), 40))} ${padWidth(source, 13)} ${bytes(size).padStart(9)}  ${visibleText(file)}`,
  );
}

function summaryView(summary: ModelSummary, theme: Theme): string[] {
  const { notes, name, fileBytes, can, task, graph, ...fields } = summary;
  const abilities = Object.entries(can).flatMap(([ability, given]) => (given ? [ability] : []));
  return [
    theme.bold(visibleText(name)),
    ...Object.entries(fields).map(([field, value]) => `  ${padWidth(field, 16)} ${visibleText(String(value))}`),
    ...(task === undefined ? [] : [`  ${padWidth('task', 16)} ${visibleText(taskText(task))}`]),
    `  ${padWidth('can', 16)} ${abilities.join(', ')}`,
    `  ${padWidth('size', 16)} ${bytes(fileBytes)}`,
    ...(graph === undefined ? [] : graphRows(graph).map(([field, text]) => `  ${padWidth(field, 16)} ${visibleText(text)}`)),
    ...notes.map((note) => theme.warning(`  ${visibleText(note)}`)),
  ];
}

function taskText(task: ModelTask): string {
  return task.kind === 'classify' ? `classes: ${task.labels.join(', ')}` : `embedding of ${task.width} numbers`;
}
