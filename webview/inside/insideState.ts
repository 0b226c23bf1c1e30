/** What the Inside panel knows, and how each message of the host changes it. */
import type { InsidePanelIn, InsideSubject, ShownResult, ToolChoice } from '../../src/shared/protocol/insidePanel.ts';

export interface InsideState {
  readonly tools: readonly ToolChoice[];
  readonly selected: string;
  readonly subject: InsideSubject | null;
  /** Names of the files that were picked for the selected tool. */
  readonly files: Readonly<Record<string, string>>;
  readonly running: boolean;
  readonly progress: { readonly phase: string; readonly done: number; readonly total: number } | null;
  readonly failure: { readonly code: string; readonly message: string } | null;
  readonly result: ShownResult | null;
  /** The document that `result` is about. */
  readonly document: string;
  readonly stale: boolean;
  /** The token under the editor's cursor. */
  readonly highlighted: number | null;
  /** The prompt block that is drawn in the editor. */
  readonly drawn: number | null;
}

export const initialInsideState: InsideState = {
  tools: [],
  selected: '',
  subject: null,
  files: {},
  running: false,
  progress: null,
  failure: null,
  result: null,
  document: '',
  stale: false,
  highlighted: null,
  drawn: null,
};

/** The state after a message. A failure keeps the last result on screen. */
export function nextInsideState(state: InsideState, message: InsidePanelIn): InsideState {
  switch (message.type) {
    case 'tools':
      return {
        ...state,
        tools: message.tools,
        selected: message.selected,
        files: message.selected === state.selected ? state.files : {},
      };
    case 'subject':
      return { ...state, subject: message.subject };
    case 'file':
      return { ...state, files: { ...state.files, [message.parameter]: message.name } };
    case 'progress': {
      const { phase, done, total } = message;
      return { ...state, running: true, failure: null, progress: { phase, done, total } };
    }
    case 'failed':
      return { ...state, running: false, progress: null, failure: { code: message.code, message: message.message } };
    case 'idle':
      return { ...state, running: false, progress: null, failure: null };
    case 'result': {
      const { result, document } = message;
      const idle = { running: false, progress: null, failure: null };
      return { ...state, ...idle, result, document, stale: false, highlighted: null, drawn: null };
    }
    case 'stale':
      return { ...state, stale: message.stale };
    case 'highlight':
      return { ...state, highlighted: message.token };
    case 'drawn':
      return { ...state, drawn: message.block };
    default:
      // A host of another version may say more.
      return state;
  }
}
