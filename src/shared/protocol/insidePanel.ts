/** What passes between the extension host and the Inside panel. Plain data and typed arrays only. */
import type { TargetSpec } from '../target.ts';
import type { ToolDescription, ToolParameters, ToolResult } from './tools.ts';

/** One line of the tool picker. */
export interface ToolChoice extends Omit<ToolDescription, 'family' | 'available'> {
  /** Name of the group it stands in. */
  readonly family: string;
  /** Why it cannot run now; null: it can. */
  readonly unavailable: string | null;
}

/** What the page draws; `data` stays with the host. */
export type ShownResult = Pick<
  ToolResult,
  'tool' | 'label' | 'parameters' | 'blocks' | 'tokens' | 'promptText' | 'cost' | 'warnings'
>;

/** Which prompt the next run is about. */
export interface InsideSubject {
  /** File name. */
  readonly document: string;
  /** Only a part of it. */
  readonly selection: boolean;
  /** What Explain is about there, and how a reader calls it; null: nothing was explained. */
  readonly explained: { readonly target: TargetSpec; readonly label: string } | null;
}

/** Host → Inside panel. */
export type InsidePanelIn =
  | { readonly type: 'tools'; readonly tools: readonly ToolChoice[]; readonly selected: string }
  | { readonly type: 'subject'; readonly subject: InsideSubject | null }
  /** A file was read for a parameter of the selected tool. */
  | { readonly type: 'file'; readonly parameter: string; readonly name: string }
  | { readonly type: 'progress'; readonly phase: string; readonly done: number; readonly total: number }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'idle' }
  | { readonly type: 'result'; readonly result: ShownResult; readonly document: string }
  /** Whether the document reads otherwise than when the result was made. */
  | { readonly type: 'stale'; readonly stale: boolean }
  /** The token of the result the editor's cursor is on. */
  | { readonly type: 'highlight'; readonly token: number | null }
  /** The prompt block that is drawn in the editor. */
  | { readonly type: 'drawn'; readonly block: number | null };

/** Inside panel → host. */
export type InsidePanelOut =
  | { readonly type: 'ready' }
  | { readonly type: 'selectTool'; readonly tool: string }
  /** Parameters of kind `file` are left out: the host has what was picked. `target` null: as Explain has it. */
  | { readonly type: 'run'; readonly tool: string; readonly parameters: ToolParameters; readonly target: TargetSpec | null }
  | { readonly type: 'cancel' }
  | { readonly type: 'pickFile'; readonly parameter: string }
  /** Mark these tokens in the editor, instead of those before. */
  | { readonly type: 'markTokens'; readonly tokens: readonly number[] }
  /** Bring these tokens into view in the editor. */
  | { readonly type: 'revealTokens'; readonly tokens: readonly number[] }
  /** Draw a prompt block of the result on the prompt; null: none. */
  | { readonly type: 'drawScores'; readonly block: number | null }
  /** Apply an edit block of the result. */
  | { readonly type: 'applyEdit'; readonly block: number };
