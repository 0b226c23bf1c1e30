import { describe, expect, test } from 'vitest';
import { parseAttentionViewOut, parseExplainPanelOut } from '../../src/extension/panels/panelMessages.ts';
import { webviewHtml } from '../../src/extension/panels/webviewHtml.ts';

describe('the Explain panel', () => {
  test.each([
    { type: 'ready' },
    { type: 'explainTarget', target: { kind: 'span', from: 0, to: 2 } },
    { type: 'explainTarget', target: { kind: 'contrast', a: ' Paris', b: ' Lyon' } },
    { type: 'askContrast', at: 1 },
    { type: 'setMethod', method: 'occlusion' },
    { type: 'setGranularity', granularity: 'line' },
    { type: 'setMode', mode: 'raw' },
    { type: 'setShowHidden', show: true },
    { type: 'revealUnit', unit: 3 },
    { type: 'endComparison' },
    { type: 'checkFully' },
    { type: 'setIntensity', intensity: 0.5, kept: true },
    { type: 'export', format: 'png' },
    { type: 'picture', bytes: Uint8Array.of(1, 2) },
    { type: 'picture', bytes: null },
  ])('may say %j', (message) => expect(parseExplainPanelOut(message)).toEqual(message));

  test.each([
    null,
    'ready',
    { type: 'load', file: '/etc/passwd' },
    { type: 'revealUnit', unit: -1 },
    { type: 'setIntensity', intensity: 1e9, kept: true },
    { type: 'revealUnit', unit: 1.5 },
    { type: 'revealUnit', unit: 2 ** 40 },
    { type: 'setGranularity', granularity: 'letter' },
    { type: 'explainTarget', target: { kind: 'span', from: 0 } },
    { type: 'explainTarget', target: { kind: 'text', text: 'x'.repeat(100_001) } },
    { type: 'export', format: 'exe' },
    { type: 'picture', bytes: [1, 2] },
    { type: 'setShowHidden', show: 'yes' },
    { type: 'ready', more: 1 },
  ])('may not say %j', (message) => expect(parseExplainPanelOut(message)).toBeNull());
});

describe('the Attention view', () => {
  test.each([
    { type: 'ready', weighting: 'gradient' },
    { type: 'setWeighting', weighting: 'plain' },
    { type: 'requestHead', layer: 0, head: 8 },
    { type: 'selectToken', token: 2, weights: Float32Array.of(0.5, 0.5) },
    { type: 'selectToken', token: null, weights: null },
    { type: 'refresh' },
  ])('may say %j', (message) => expect(parseAttentionViewOut(message)).toEqual(message));

  test.each([
    undefined,
    { type: 'ready' },
    { type: 'setWeighting', weighting: 'twice' },
    { type: 'requestHead', layer: -1, head: 0 },
    { type: 'requestHead', layer: Number.NaN, head: 0 },
    { type: 'selectToken', token: 0, weights: [0.5] },
    { type: 'selectToken', token: 0, weights: { length: 1e9 } },
  ])('may not say %j', (message) => expect(parseAttentionViewOut(message)).toBeNull());
});

describe('the page of a webview', () => {
  const page = {
    title: 'Explain "<b>"',
    language: 'zh-cn',
    cspSource: 'https://host',
    scriptUri: 'https://host/explain.js',
    styleUri: 'https://host/explain.css',
  };

  test('allows its own script and nothing else', () => {
    const html = webviewHtml(page, 'N0nce');
    expect(html).toContain('<html lang="zh-cn">');
    expect(html).toContain('<title>Explain &quot;&lt;b&gt;&quot;</title>');
    expect(html).toContain("default-src 'none'; script-src 'nonce-N0nce';");
    expect(html).not.toMatch(/unsafe|style="|connect-src/);
    expect(html.match(/<script/g)).toHaveLength(1);
  });

  test('has another nonce each time, and no style link without a style sheet', () => {
    const [a, b] = [webviewHtml({ ...page, styleUri: null }), webviewHtml({ ...page, styleUri: null })];
    expect(a).not.toBe(b);
    expect(a).not.toContain('<link');
  });
});
