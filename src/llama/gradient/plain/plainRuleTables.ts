import type { GradientRules } from '../../../model/gradient.ts';
import type { PlainRuleTable } from './plainRule.ts';
import { plainRules } from './plainRules.ts';
import { plainRelevanceRules } from './relevance.ts';

/** The plain form of `../rules/ruleTables.ts`, but of rules that compare two runs: those are checked by what their parts add up to. */
export const plainRuleTables: Readonly<Record<Exclude<GradientRules, 'rescale'>, PlainRuleTable>> = {
  exact: plainRules,
  relevance: plainRelevanceRules,
};
