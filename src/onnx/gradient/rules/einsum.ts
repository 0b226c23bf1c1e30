import { stringAttribute } from '../../graph/graph.ts';
import { inputOf, ofFirstOutput } from './rule.ts';

/**
 * Sums of products by letters: the gradient of an operand is the sum of products of the gradient with the other operands, written in
 * the operand's own letters. An ellipsis, a letter twice in one operand, and letters of one operand alone are refused.
 */
export const einsum = ofFirstOutput((node, gradient, context) => {
  const equation = stringAttribute(node, 'equation', '').replaceAll(' ', '');
  const [left = '', given] = equation.split('->');
  const terms = left.split(',');
  const output = given ?? impliedOutput(left);
  if (equation.includes('.')) throw context.refusal(`its equation ${JSON.stringify(equation.slice(0, 100))} has an ellipsis`);
  terms.forEach((term, index) => {
    context.add(inputOf(node, index), () => {
      const others = terms.flatMap((other, i) => (i === index ? [] : [{ letters: other, name: inputOf(node, i) }]));
      const known = output + others.map(({ letters }) => letters).join('');
      const isSimple = new Set(term).size === term.length && [...term].every((letter) => known.includes(letter));
      if (!isSimple)
        throw context.refusal(`its equation ${JSON.stringify(equation.slice(0, 100))} sums a letter of one operand alone`);
      const letters = [output, ...others.map((other) => other.letters)];
      const inputs = [gradient, ...others.map(({ name }) => name)];
      const own = { kind: 'string', value: `${letters.join(',')}->${term}` } as const;
      return context.builder.node('Einsum', inputs, { equation: own });
    });
  });
});

/** Without an arrow: the letters that occur once, in the order of the alphabet. */
function impliedOutput(left: string): string {
  const letters = [...left.replaceAll(',', '')];
  return letters
    .filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter))
    .sort()
    .join('');
}
