/** What the Explain panel knows, and how each message of the host changes it. */
import type { Comparison } from '../../src/shared/difference.ts';
import type { Explanation } from '../../src/shared/explanation.ts';
import type { PartialStage } from '../../src/shared/protocol/engine.ts';
import type { ExplainPanelIn, MethodChoice } from '../../src/shared/protocol/panel.ts';

type Stage = PartialStage | 'final';

interface RunProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}

interface Failure {
  readonly code: string;
  readonly message: string;
}

export interface PanelState {
  readonly explanation: Explanation | null;
  /** `explanation` beside another one; drawn in place of the scores. */
  readonly comparison: Comparison | null;
  /** How far `explanation` has come; null before the first one. */
  readonly stage: Stage | null;
  readonly running: boolean;
  readonly progress: RunProgress | null;
  readonly failure: Failure | null;
  readonly methods: readonly MethodChoice[];
  /** The method that was asked for; a partial explanation may carry another one's scores. */
  readonly method: string | null;
  readonly mode: 'raw' | 'chat' | 'auto';
  /** Strength of the tints, as the setting has it. */
  readonly intensity: number;
  /** The unit under the editor's cursor. */
  readonly highlighted: number | null;
}

export const initialState: PanelState = {
  explanation: null,
  comparison: null,
  stage: null,
  running: false,
  progress: null,
  failure: null,
  methods: [],
  method: null,
  mode: 'auto',
  intensity: 1,
  highlighted: null,
};

/** The state after a message. A failure keeps the last explanation on screen: nothing is lost. */
export function nextState(state: PanelState, message: ExplainPanelIn): PanelState {
  switch (message.type) {
    case 'explanation': {
      const final = message.stage === 'final';
      return {
        ...state,
        explanation: message.explanation,
        comparison: null,
        stage: message.stage,
        running: !final,
        progress: final ? null : state.progress,
        failure: null,
        highlighted: sameUnits(state.explanation, message.explanation) ? state.highlighted : null,
      };
    }
    case 'progress':
      return {
        ...state,
        running: true,
        failure: null,
        progress: { phase: message.phase, done: message.done, total: message.total },
      };
    case 'failed':
      return { ...state, running: false, progress: null, failure: { code: message.code, message: message.message } };
    case 'idle':
      return { ...state, running: false, progress: null, failure: null };
    case 'empty':
      return { ...state, explanation: null, comparison: null, stage: null, highlighted: null };
    case 'methods':
      return { ...state, methods: message.methods, mode: message.mode, method: message.method ?? state.method };
    case 'comparison':
      return { ...state, comparison: message.comparison };
    case 'intensity':
      return { ...state, intensity: message.intensity };
    case 'highlight':
      return { ...state, highlighted: message.unit };
    default:
      // A host of another version may say more.
      return state;
  }
}

/** Whether unit numbers mean the same words in both. */
export function sameUnits(before: Explanation | null, after: Explanation | null): boolean {
  return (
    before !== null &&
    after !== null &&
    before.granularity === after.granularity &&
    before.units.length === after.units.length &&
    before.prompt.text === after.prompt.text
  );
}
