/** What the model is asked. Shown with every result; both can be replaced by a text of the user's own. */

export const explanationTemplate = [
  'Here is a text that you were given:',
  '"""',
  '{prompt}',
  '"""',
  'You continued it with:',
  '"""',
  '{response}',
  '"""',
  'Which {count} words of the text mattered most for your answer? Copy them from the text, the most important first. Say why, and how sure you are of your answer, from 0 to 1.',
  'Reply with JSON and nothing else: {"words": [{"word": "…", "why": "…"}], "confidence": 0.5}',
].join('\n');

export const confidenceTemplate = [
  'Question:',
  '{prompt}',
  'Your answer:',
  '{response}',
  'How sure are you that this answer is right? Reply with one number from 0 (certainly wrong) to 100 (certainly right) and nothing else.',
].join('\n');

/** Places are filled once: what is put in is not looked through again. */
export function filled(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/gu, (place, name: string) => values[name] ?? place);
}
