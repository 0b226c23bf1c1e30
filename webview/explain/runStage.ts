/** The words for how far a run has come. */
import { formatDuration } from '../ui/formatNumber.ts';
import type { Strings } from '../ui/strings.ts';
import type { PanelState } from './panelState.ts';

export interface StageText {
  /** Changes only with the stage, so that a screen reader is not told every step. */
  readonly name: string;
  /** Counts and times; not announced. */
  readonly detail: string;
  readonly provisional: boolean;
}

export function stageText(state: PanelState, strings: Strings): StageText {
  const { explanation, stage, progress } = state;
  const counts = progress !== null && progress.total > 0 ? `${progress.done}/${progress.total}` : '';
  if (state.running && (stage === null || stage === 'final')) {
    return { name: progress === null ? strings.running : strings.phase(progress.phase), detail: counts, provisional: false };
  }
  if (explanation === null || stage === null) return { name: '', detail: '', provisional: false };
  const units = strings.granularity[explanation.granularity];
  if (!state.running && stage !== 'final') return { name: strings.stoppedEarly, detail: '', provisional: true };
  switch (stage) {
    case 'attention':
      return { name: strings.stageAttention, detail: counts, provisional: true };
    case 'sections':
      return { name: strings.stageSections, detail: counts, provisional: true };
    case 'units':
      return { name: strings.stageUnits(units), detail: counts, provisional: true };
    case 'final':
      return {
        name: strings.stageFinal,
        detail: strings.cost(formatDuration(explanation.cost.milliseconds), rounded(explanation.cost.forwardPasses)),
        provisional: false,
      };
  }
}

/** Parts of a prompt count as parts of a pass. */
function rounded(passes: number): number {
  return Math.round(passes * 10) / 10;
}
