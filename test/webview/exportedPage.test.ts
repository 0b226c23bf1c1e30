/// <reference types="node" />
/** What the exported page does in a browser that runs its script. */
import { Window } from 'happy-dom';
import { afterEach, expect, test } from 'vitest';
import { explanationToHtml } from '../../src/analysis/export/html.ts';
import { sampleExplanation } from '../extension/sampleExplanation.ts';

let window: Window | undefined;
afterEach(() => window?.happyDOM.close());

function open(method: string = 'occlusion') {
  const explanation = sampleExplanation(
    [
      { text: 'up', score: 4 },
      { text: ' down', score: -2 },
      { text: ' faint', score: 0.3 },
      { text: ' sink', score: 90, kind: 'sink' },
    ],
    { method: { id: method, parameters: {}, seed: 0 } },
  );
  window = new Window({ settings: { enableJavaScriptEvaluation: true, suppressInsecureJavaScriptEnvironmentWarning: true } });
  window.document.write(explanationToHtml(explanation));
  const { document } = window;
  const find = <T>(selector: string) => document.querySelector(selector) as unknown as T;
  const words = () => [...document.querySelectorAll('#prompt span')].map((word) => `${word.textContent}:${word.className}`);
  return { document, find, words, page: window };
}

test('strength and sign filter redraw; sinks stay undrawn', () => {
  const { find, words, page } = open();
  expect(find<{ hidden: boolean }>('#controls').hidden).toBe(false);
  expect(words()).toEqual(['up:raise5', 'down:lower3', 'faint:', 'sink:']);
  const strength = find<HTMLInputElement>('#strength');
  strength.value = '1';
  strength.dispatchEvent(new page.Event('input') as unknown as Event);
  expect(words()).toEqual(['up:raise5', 'down:lower5', 'faint:raise1', 'sink:']);
  const show = find<HTMLSelectElement>('#show');
  show.value = 'lower';
  show.dispatchEvent(new page.Event('change') as unknown as Event);
  expect(words()).toEqual(['up:', 'down:lower5', 'faint:', 'sink:']);
});

test('one tab stop; keys move; a word tells score, rank and share', () => {
  const { document, find } = open();
  const stops = () => [...document.querySelectorAll('#prompt [tabindex="0"]')].map((word) => word.textContent);
  expect(stops()).toEqual(['up']);
  find<HTMLElement>('#prompt [tabindex="0"]').focus();
  find<HTMLElement>('#prompt [tabindex="0"]').dispatchEvent(
    new window!.KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }) as unknown as Event,
  );
  expect(stops()).toEqual(['down']);
  expect(find<HTMLElement>('#readout').textContent).toBe('‘down’: −2 logits, rank 2, 31.7 % of all');
});

test('scores without a sign have nothing to filter by', () => {
  const { document } = open('saliency');
  expect(document.querySelectorAll('#show option')).toHaveLength(1);
});
