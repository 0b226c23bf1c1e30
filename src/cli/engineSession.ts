/** The engine service in this process, for the length of one verb. */
import path from 'node:path';
import { recogniseModel } from '../engine/openModel.ts';
import { EngineService } from '../engine/service.ts';
import { cancelled, usage } from '../shared/errorCatalog.ts';
import type { EngineMethods, LoadOptions, Progress } from '../shared/protocol/engine.ts';
import { isServerAddress, serverAddress } from '../shared/serverAddress.ts';
import type { CommandContext } from './commandContext.ts';
import type { ModelOptions, OutputOptions } from './commonOptions.ts';
import { bundledModel, engineBundle } from './installation.ts';
import { createProgressBar, type ProgressBar } from './terminal/progressBar.ts';
import { visibleText } from './terminal/visibleText.ts';

/** The engine's methods as a caller sees them: promises, with id and cancellation filled in. */
type EngineCalls = {
  readonly [K in keyof EngineMethods]: (...parameters: Parameters<EngineMethods[K]>) => Promise<ReturnType<EngineMethods[K]>>;
};

const megabyte = 1_000_000;

/** An engine with the asked model loaded. @throws E_USAGE for `--provider` with a model that is not ONNX, and as `openModel` */
export async function withEngine<T>(
  context: CommandContext,
  options: ModelOptions & OutputOptions,
  use: (engine: EngineCalls) => Promise<T>,
): Promise<T> {
  const { model, threads, context: contextLength, gradientMemory, weightMemory, provider } = options;
  const loadOptions: LoadOptions = {
    threads,
    contextLength,
    ...(gradientMemory === undefined ? {} : { gradientBytes: gradientMemory * megabyte }),
    ...(weightMemory === undefined ? {} : { weightBytes: weightMemory * megabyte }),
    ...(provider === undefined ? {} : { provider }),
    ...keyOption(model, context),
  };
  const chosen = model === undefined ? bundledModel : namedModel(model);
  if (provider !== undefined) await refuseProvider(chosen);
  return await withIdleEngine(context, options, async (engine) => {
    await engine.load(chosen, loadOptions);
    return await use(engine);
  });
}

/** A provider for a model that ONNX Runtime does not compute would be ignored. @throws E_USAGE, and as `recogniseModel` */
async function refuseProvider(model: string): Promise<void> {
  const { id } = await recogniseModel(model);
  if (id === 'onnx') return;
  const kind = id === 'remote' ? 'a model on a server' : 'a GGUF file';
  throw usage(`--provider means nothing for ${kind}`, 'name an ONNX model with --model, or leave it away');
}

/** The address of a server, or a file as a whole path. @throws E_SERVER_ADDRESS */
export function namedModel(model: string): string {
  return isServerAddress(model) ? serverAddress(model) : path.resolve(model);
}

/** The key of the environment, for a server and for nothing else. */
export function keyOption(model: string | undefined, { environment }: CommandContext): Pick<LoadOptions, 'apiKey'> {
  const apiKey = environment['PROMPT_LOUPE_API_KEY'];
  return model === undefined || !isServerAddress(model) || apiKey === undefined || apiKey === '' ? {} : { apiKey };
}

/** An engine with no model; it is disposed of when `use` settles, however it does. */
export async function withIdleEngine<T>(
  context: CommandContext,
  { verbose }: OutputOptions,
  use: (engine: EngineCalls) => Promise<T>,
): Promise<T> {
  if (context.signal.aborted) throw cancelled();
  const bar = createProgressBar(context.stderr, verbose === true);
  const service = new EngineService({ workerFile: engineBundle, events: { progress: telling(bar, context.stderr) } });
  try {
    return await use(engineCalls(service, context.signal, bar));
  } finally {
    await service.dispose();
  }
}

/** Progress goes to the bar; what a phase will need stays as a line of its own. */
function telling(bar: ProgressBar, stream: NodeJS.WriteStream): (progress: Progress) => void {
  let told = '';
  return (progress) => {
    const { detail = told } = progress;
    if (detail !== told) {
      bar.stop();
      stream.write(`${visibleText(detail)}\n`);
      told = detail;
    }
    bar.update(progress);
  };
}

function engineCalls({ methods }: EngineService, signal: AbortSignal, bar: ProgressBar): EngineCalls {
  const call = { requestId: 'command-line', signal };
  /** The bar is gone before the result is printed. */
  const finished = async <T>(result: T | Promise<T>): Promise<T> => {
    try {
      return await result;
    } finally {
      bar.stop();
    }
  };
  return {
    load: (file, options) => finished(methods.load(call, file, options)),
    unload: () => finished(methods.unload(call)),
    status: () => finished(methods.status(call)),
    inspect: (file, options) => finished(methods.inspect(call, file, options)),
    listModels: (folders) => finished(methods.listModels(call, folders)),
    methods: (units) => finished(methods.methods(call, units)),
    explain: (request) => finished(methods.explain(call, request)),
    logprobs: (request) => finished(methods.logprobs(call, request)),
    generate: (request) => finished(methods.generate(call, request)),
    attentionGrid: (request) => finished(methods.attentionGrid(call, request)),
    attentionHead: (request) => finished(methods.attentionHead(call, request)),
    capture: (request) => finished(methods.capture(call, request)),
    tools: () => finished(methods.tools(call)),
    tool: (request) => finished(methods.tool(call, request)),
    export: (request) => finished(methods.export(call, request)),
  };
}
