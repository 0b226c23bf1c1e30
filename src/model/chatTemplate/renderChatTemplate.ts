import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import type { ChatMessage } from '../model.ts';
import { templateFailed, templateMissing } from '../../shared/errorCatalog.ts';
import { overTime, withTimeLimit } from '../runtime/timeLimit.ts';
import { formatTime } from './formatTime.ts';

export interface TemplateValues {
  readonly bosToken: string;
  readonly eosToken: string;
  readonly addGenerationPrompt: boolean;
}

/** Templates come with model files and are hostile input: these bound what one can cost. */
const limits = { templateCharacters: 1_000_000, milliseconds: 2_000, outputCharacters: 16_000_000, rangeLength: 100_000 };

/**
 * Renders messages through a model's Jinja chat template, as Hugging Face transformers does.
 * A template that never ends is stopped after two seconds.
 * @throws E_TEMPLATE_MISSING, E_TEMPLATE
 */
export function renderChatTemplate(template: string | null, messages: readonly ChatMessage[], values: TemplateValues): string {
  if (template === null || template === '') throw templateMissing();
  if (template.length > limits.templateCharacters) throw templateFailed(`it has ${template.length} characters`);
  const rendered = rendering(() => {
    const program = parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true }));
    const environment = new Environment();
    for (const [name, value] of Object.entries(templateGlobals(messages, values))) environment.set(name, value);
    const { value } = new Interpreter(environment).run(program);
    return typeof value === 'string' ? value : '';
  });
  if (rendered.length > limits.outputCharacters) throw templateFailed(`it made ${rendered.length} characters`);
  return rendered;
}

/** The library's own globals would name months in the language of the machine and allocate whatever `range` asks for. */
function templateGlobals(messages: readonly ChatMessage[], values: TemplateValues): Readonly<Record<string, unknown>> {
  return {
    true: true,
    false: false,
    none: null,
    True: true,
    False: false,
    None: null,
    messages: messages.map(({ role, content }) => ({ role, content })),
    bos_token: values.bosToken,
    eos_token: values.eosToken,
    add_generation_prompt: values.addGenerationPrompt,
    raise_exception: (message: unknown) => {
      throw new Error(String(message));
    },
    strftime_now: (format: unknown) => formatTime(new Date(), String(format)),
    range: (first: unknown, second?: unknown, third?: unknown) => boundedRange(Number(first), second, third),
  };
}

/** Python's `range`. */
function boundedRange(first: number, second: unknown, third: unknown): number[] {
  const start = second === undefined ? 0 : first;
  const stop = second === undefined ? first : Number(second);
  const step = third === undefined ? 1 : Number(third);
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= limits.rangeLength)) throw new Error(`range() of more than ${limits.rangeLength} numbers`);
  return Array.from({ length }, (_, index) => start + index * step);
}

function rendering(work: () => string): string {
  try {
    return withTimeLimit(work, limits.milliseconds);
  } catch (error) {
    throw templateFailed(reasonOf(error));
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof RangeError) return 'it nests too deeply or makes too much text';
  const message = error instanceof Error ? error.message : String(error);
  if (overTime(error)) return `it did not finish within ${limits.milliseconds / 1_000} seconds`;
  return message.slice(0, 500);
}
