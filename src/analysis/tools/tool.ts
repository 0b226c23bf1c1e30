/**
 * A tool that looks inside a model: one file each, listed in `registry.ts`. The engine request, the command-line verb, the picker and
 * the form of the Inside panel come from the list; a tool knows none of them.
 */
import type { ResolvedTarget } from '../../attribution/target.ts';
import type { MethodNeed } from '../../attribution/method.ts';
import type { Model } from '../../model/model.ts';
import type { Warning } from '../../shared/explanation.ts';
import type { Block } from '../../shared/inspection/blocks.ts';
import type { ToolFamily, ToolParameter, ToolParameters } from '../../shared/protocol/tools.ts';
import type { Section, TextRange, Token } from '../../shared/tokens.ts';

/** A prompt as the model reads it. */
export interface ToolPrompt {
  readonly text: string;
  readonly tokens: readonly Token[];
  readonly ids: Int32Array;
  readonly sections: readonly Section[];
  /** Text that the chat template added. */
  readonly templateRanges: readonly TextRange[];
}

/** What a tool keeps for a model beyond one request (a trained lens): files of the tool's own names, in the user's cache. */
export interface ToolStore {
  /** Null where nothing of that name is kept. */
  read(name: string): Promise<Uint8Array | null>;
  /** To be asked before long work whose result shall be kept. @throws E_DISK_FULL, E_OUTPUT_UNWRITABLE where nothing can be written */
  ready(): Promise<void>;
  /** @throws E_DISK_FULL, E_OUTPUT_UNWRITABLE */
  write(name: string, bytes: Uint8Array): Promise<void>;
}

export interface ToolContext {
  readonly model: Model;
  readonly prompt: ToolPrompt;
  readonly parameters: ToolParameters;
  readonly seed: number;
  /** Passed on to every model call. */
  readonly signal: AbortSignal;
  /** `phase` is short, for a status bar. */
  readonly progress: (phase: string, done: number, total: number) => void;
  /** Reads another text as the prompt was read: same format, mode and template. @throws as `tokenizePrompt` */
  readPrompt(text: string): Promise<ToolPrompt>;
  /** Reads a text of its own, no document: where the prompt is a conversation, as one with this message of a user. @throws as `tokenizePrompt` */
  readText(text: string): Promise<ToolPrompt>;
  /** A whole conversation through the chat template, or joined by blank lines where the model has none. */
  readMessages(messages: readonly { readonly role: string; readonly content: string }[]): Promise<ToolPrompt>;
  /** The asked target, resolved on `prompt` (the response is generated once, where one is needed). @throws as `resolveTarget` */
  target(): Promise<ResolvedTarget>;
  /** By the digest of the model's file. */
  readonly store: ToolStore;
  /** Greedy text after a prompt, up to `maxTokens` tokens (default: the request's). */
  generate(prompt: ToolPrompt, maxTokens?: number): Promise<string>;
}

export interface ToolOutcome {
  /** For `--json` and for scripts: plain data, typed arrays as they are. */
  readonly data: object;
  readonly blocks: readonly Block[];
  /** Forward-pass equivalents spent; a backward pass counts as 2. */
  readonly forwardPasses: number;
  readonly warnings?: readonly Warning[];
}

/** `language`: a model that predicts tokens, not classes or an embedding. */
export type ToolNeed = MethodNeed | 'language';

export interface Tool {
  /** Also the verb of the command line. */
  readonly id: string;
  readonly family: ToolFamily;
  readonly label: string;
  /** One line: the question it answers. */
  readonly question: string;
  readonly needs: readonly ToolNeed[];
  readonly parameters: readonly ToolParameter[];
  readonly usesTarget: boolean;
  run(context: ToolContext): Promise<ToolOutcome>;
}
