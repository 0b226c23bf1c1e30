import type { GradientRules } from '../../../model/gradient.ts';
import type { PlainRuleTable } from './plainRule.ts';
import { plainRules } from './plainRules.ts';
import { plainRelevanceRules } from './relevance.ts';

/** The plain form of `../rules/ruleTables.ts`. */
export const plainRuleTables: Readonly<Record<GradientRules, PlainRuleTable>> = {
  exact: plainRules,
  relevance: plainRelevanceRules,
};
