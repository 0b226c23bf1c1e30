/** What is asked of a tool that looks inside the model (`src/analysis/tools/registry.ts`), and what it gives back. */
import type { Warning } from '../explanation.ts';
import type { Block } from '../inspection/blocks.ts';
import type { ScoreKind, TargetSpec } from '../target.ts';
import type { SourceSegment, Token } from '../tokens.ts';
import type { PromptSource } from './engine.ts';

interface ParameterText {
  readonly id: string;
  readonly label: string;
  /** One line: what it means, with its unit. */
  readonly help: string;
}

export type ToolParameter = ParameterText &
  (
    | { readonly kind: 'choice'; readonly choices: readonly string[]; readonly default: string }
    | {
        readonly kind: 'number';
        readonly default: number;
        readonly minimum?: number;
        readonly maximum?: number;
        readonly whole?: true;
      }
    | { readonly kind: 'boolean'; readonly default: boolean }
    /** `pattern`: what it looks like, for a placeholder ("12", "3.5", "the Eiffel Tower"). `lines`: it may have several lines. */
    | {
        readonly kind: 'text';
        readonly default: string;
        readonly required?: true;
        readonly pattern?: string;
        readonly lines?: true;
      }
    /** Another prompt, read as the first one is; on the command line a second FILE. */
    | { readonly kind: 'prompt'; readonly required?: true }
    /** The text of a file the user names (cases, a corpus); on the command line `--<id> FILE`. */
    | { readonly kind: 'file'; readonly required?: true }
  );

export type ToolParameters = Readonly<Record<string, string | number | boolean>>;

export type ToolFamily = 'layers' | 'heads' | 'neurons' | 'causal' | 'counterfactual' | 'in-context' | 'self-explanation';

/** What the user is told of a tool before it runs. */
export interface ToolDescription {
  readonly id: string;
  readonly family: ToolFamily;
  readonly label: string;
  /** One line: the question it answers. */
  readonly question: string;
  readonly parameters: readonly ToolParameter[];
  /** Whether it is about a target (`--target`). */
  readonly usesTarget: boolean;
  /** False: the loaded model cannot run it. */
  readonly available: boolean;
  /** What it needs and the model cannot give. */
  readonly missing?: 'forward' | 'capture' | 'patch' | 'gradient' | 'language';
}

export interface ToolRequest {
  readonly tool: string;
  readonly prompt: PromptSource;
  readonly parameters: ToolParameters;
  readonly target: TargetSpec;
  readonly score?: ScoreKind;
  /** Response tokens generated first, where the target needs a response. */
  readonly maxTokens: number;
  readonly response?: string;
  readonly seed: number;
}

export interface ToolResult {
  readonly tool: string;
  readonly label: string;
  /** As they were used, defaults filled in. */
  readonly parameters: ToolParameters;
  /** What `--json` prints: plain data and typed arrays. */
  readonly data: object;
  readonly blocks: readonly Block[];
  /** The prompt's; blocks speak of them by index. */
  readonly tokens: readonly Token[];
  readonly promptText: string;
  readonly sourceMap: readonly SourceSegment[];
  readonly cost: { readonly milliseconds: number; readonly forwardPasses: number };
  readonly warnings: readonly Warning[];
}
