/** The tools in the order of the picker. Adding one is one file and one line here. */
import { labelAnchors } from '../anchors/labelAnchors.ts';
import { ablate } from '../causal/ablate.ts';
import { circuit } from '../causal/circuit.ts';
import { intervene } from '../causal/intervene.ts';
import { patch } from '../causal/patch.ts';
import { pathPatch } from '../causal/pathPatch.ts';
import { steer } from '../causal/steer.ts';
import { trace } from '../causal/trace.ts';
import { chainOfThought } from '../chainOfThought/chainOfThought.ts';
import { counterfactual } from '../counterfactual/counterfactual.ts';
import { directLogit } from '../directLogit/directLogit.ts';
import { heads } from '../heads/heads.ts';
import { lens } from '../lens/lens.ts';
import { neurons } from '../neurons/neurons.ts';
import { selfExplanation } from '../selfExplanation/selfExplanation.ts';
import { weights } from '../weights/weights.ts';
import type { Tool } from './tool.ts';

export const tools: readonly Tool[] = [
  lens,
  directLogit,
  weights,
  heads,
  neurons,
  ablate,
  patch,
  trace,
  pathPatch,
  circuit,
  steer,
  intervene,
  counterfactual,
  labelAnchors,
  selfExplanation,
  chainOfThought,
];
