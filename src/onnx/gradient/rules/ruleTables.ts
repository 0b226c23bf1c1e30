import type { GradientRules } from '../../../model/gradient.ts';
import { relevanceRules } from './relevance/ruleTable.ts';
import { rescaleRules } from './rescale/ruleTable.ts';
import type { RuleTable } from './rule.ts';
import { derivatives } from './rules.ts';

/** What a backward pass can follow. */
export const ruleTables: Readonly<Record<GradientRules, RuleTable>> = {
  exact: derivatives,
  relevance: relevanceRules,
  rescale: rescaleRules,
};
