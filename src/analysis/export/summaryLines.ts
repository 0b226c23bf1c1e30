import type { Explanation } from '../../shared/explanation.ts';
import { signedNumber, unitName } from './unitStandings.ts';

/** What every picture must say beside itself, so that it stands alone: what was explained, how, on which file, and whether to trust it. */
export function summaryLines(explanation: Explanation): string[] {
  const { target, method, model, faithfulness, granularity } = explanation;
  const parameters = Object.entries(method.parameters).map(([name, value]) => `${name} ${String(value)}`);
  return [
    `Target: ${target.kind} ${JSON.stringify(target.label)} = ${signedNumber(target.value)} ${unitName(target.unit)}`,
    `Method: ${[method.id, ...parameters, `seed ${method.seed}`].join(', ')}; scores per ${granularity}`,
    `Model: ${model.name}, ${model.quantization}, ${model.precision}, SHA-256 ${model.sha256}`,
    faithfulness === null
      ? 'Faithfulness: not measured'
      : `Faithfulness: ${faithfulness.verdict}. ${faithfulness.reason} Gain over random ${signedNumber(faithfulness.gain)} ` +
        `(95 % interval ${signedNumber(faithfulness.interval[0])} to ${signedNumber(faithfulness.interval[1])}) ${unitName(target.unit)}.`,
  ];
}
