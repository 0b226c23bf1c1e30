/** What passes between the extension host and the Inside panel. */
import type { TargetSpec } from '../target.ts';
import type { ToolDescription, ToolParameters, ToolResult } from './tools.ts';

/** Host → panel. */
export type InsidePanelIn =
  | { readonly type: 'tools'; readonly tools: readonly ToolDescription[]; readonly tool: string; readonly target: TargetSpec }
  | { readonly type: 'progress'; readonly phase: string; readonly done: number; readonly total: number }
  | { readonly type: 'result'; readonly result: ToolResult }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'stopped' }
  /** The document has changed since the tool ran. */
  | { readonly type: 'stale' }
  /** A file was chosen for a parameter. */
  | { readonly type: 'file'; readonly parameter: string; readonly name: string }
  /** The prompt token under the editor's cursor. */
  | { readonly type: 'cursor'; readonly token: number | null };

/** Panel → host. */
export type InsidePanelOut =
  | { readonly type: 'ready' }
  | { readonly type: 'run'; readonly tool: string; readonly parameters: ToolParameters; readonly target: TargetSpec }
  | { readonly type: 'cancel' }
  /** Mark these prompt tokens in the editor; null: none. */
  | { readonly type: 'mark'; readonly tokens: readonly number[] | null }
  /** Draw the scores of a block on the prompt; null: take them off. */
  | { readonly type: 'draw'; readonly block: number | null }
  /** Make the edits of a block in the document. */
  | { readonly type: 'apply'; readonly block: number }
  | { readonly type: 'pickFile'; readonly parameter: string };
