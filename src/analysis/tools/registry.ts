/** The tools in the order of the picker. Adding one is one file and one line here. */
import { labelAnchors } from '../anchors/labelAnchors.ts';
import { chainOfThought } from '../chainOfThought/chainOfThought.ts';
import { counterfactual } from '../counterfactual/counterfactual.ts';
import { selfExplanation } from '../selfExplanation/selfExplanation.ts';
import type { Tool } from './tool.ts';

export const tools: readonly Tool[] = [counterfactual, labelAnchors, selfExplanation, chainOfThought];
