import type { Explanation } from '../../shared/explanation.ts';
import { signedNumber, unitName } from './unitStandings.ts';

/** What every picture must say beside itself, so that it stands alone: what was explained, how, on which file, and whether to trust it. */
export function summaryLines(explanation: Explanation): string[] {
  const { target, method, model, faithfulness, granularity, completeness } = explanation;
  const parameters = Object.entries(method.parameters).map(([name, value]) => `${name} ${String(value)}`);
  return [
    `Target: ${target.kind} ${JSON.stringify(target.label)} = ${signedNumber(target.value)} ${unitName(target.unit)}`,
    `Method: ${[method.id, ...parameters, `seed ${method.seed}`].join(', ')}; scores per ${granularity}`,
    `Model: ${model.name}, ${model.quantization}, ${model.precision}, ${model.sha256 === '' ? `on the server ${model.file}` : `SHA-256 ${model.sha256}`}`,
    ...(completeness === undefined ? [] : [completenessLine(completeness)]),
    faithfulness === null
      ? 'Faithfulness: not measured'
      : `Faithfulness: ${faithfulness.verdict}. ${faithfulness.reason} Gain over random ${signedNumber(faithfulness.gain)} ` +
        `(95 % interval ${signedNumber(faithfulness.interval[0])} to ${signedNumber(faithfulness.interval[1])}) ${unitName(target.unit)}.`,
  ];
}

function completenessLine({ sum, expected, share, steps }: NonNullable<Explanation['completeness']>): string {
  const gap = share === null ? '' : `, a gap of ${(100 * share).toFixed(1)} %`;
  return `Completeness: the scores add up to ${signedNumber(sum)} and should add up to ${signedNumber(expected)}${gap}; ${steps} points`;
}
