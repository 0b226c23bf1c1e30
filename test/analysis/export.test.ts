import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { layOut } from '../../src/analysis/export/gridLayout.ts';
import { exportText } from '../../src/analysis/export/exportText.ts';
import { escapeMarkup } from '../../src/analysis/export/markupText.ts';
import { pageScript } from '../../src/analysis/export/pageScript.ts';
import { textRuns } from '../../src/analysis/export/textRuns.ts';
import { exportExplanation } from '../../src/engine/requests/export.ts';
import { type Explanation, parseExplanation } from '../../src/shared/explanation.ts';
import type { UnitKind } from '../../src/shared/tokens.ts';

/** An explanation over `words`, joined by `glue`. */
function explanationOf(
  words: readonly string[],
  scores: readonly number[],
  kinds: readonly UnitKind[] = [],
  glue = ' ',
): Explanation {
  let start = 0;
  const units = words.map((label, index) => {
    const unit = { label, start, end: start + label.length, kind: kinds[index] ?? ('text' as const), tokens: [index] };
    start = unit.end + glue.length;
    return unit;
  });
  return {
    schema: 1,
    model: {
      name: 'm',
      file: 'm.gguf',
      sha256: 'ab',
      format: 'gguf',
      architecture: 'llama',
      quantization: 'F32',
      precision: 'as-served',
      layers: 1,
      heads: 1,
      hidden: 1,
    },
    prompt: { mode: 'raw', text: words.join(glue), sections: [], sourceMap: [] },
    tokens: units.map(({ label, start: from, end }, index) => ({ id: index, text: label, start: from, end, special: false })),
    response: {
      text: ' <b>&',
      source: 'generated',
      tokens: [{ id: 1, text: ' <b>&', logprob: -0.5, alternatives: [{ id: 1, text: ' <b>&', logprob: -0.5 }] }],
    },
    target: { kind: 'next', label: ' <b>&', score: 'logprob', unit: 'nat', value: -0.5, ids: [1] },
    method: { id: 'occlusion', parameters: { replacement: 'drop' }, seed: 1 },
    granularity: 'word',
    units,
    scores: [...scores],
    faithfulness: null,
    cost: { milliseconds: 1, forwardPasses: 1 },
    warnings: [{ code: 'W_X', message: 'a <warning>' }],
  };
}

const hostile = explanationOf(
  [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    '</pre></title>',
    ']]>',
    '\u0000\ud800',
    '=1+1',
    'a,"b"\n',
    '日本語',
    '👩‍👩‍👧',
    "it's",
  ],
  [1, -2, 0.5, -0.25, 3, 2, -1, 0, 1, 0.01],
);

describe('hostile text never becomes markup', () => {
  test('html', () => {
    const html = exportText(hostile, 'html');
    const markup = html.replace(pageScript, '');
    const tags = new Set([...markup.matchAll(/<\/?([a-z0-9!]+)/gi)].map((match) => match[1]?.toLowerCase()));
    expect([...tags].sort()).toEqual(
      [
        '!doctype',
        'body',
        'caption',
        'h1',
        'h2',
        'head',
        'html',
        'input',
        'label',
        'li',
        'main',
        'meta',
        'option',
        'p',
        'pre',
        'script',
        'select',
        'span',
        'style',
        'table',
        'tbody',
        'td',
        'th',
        'thead',
        'title',
        'tr',
        'ul',
      ].sort(),
    );
    expect(html).not.toMatch(/<[^>]*\s(?:on\w+|style|src|href)=/i);
    expect(html.match(/<script/g)).toHaveLength(1);
    const hashOf = (name: string) =>
      createHash('sha256')
        .update(new RegExp(`<${name}>(.*)</${name}>`, 's').exec(html)?.[1] ?? '')
        .digest('base64');
    expect(html).toContain(
      escapeMarkup(`default-src 'none'; style-src 'sha256-${hashOf('style')}'; script-src 'sha256-${hashOf('script')}'; base`),
    );
  });

  test('svg', () => {
    const svg = exportText(hostile, 'svg');
    const tags = new Set([...svg.matchAll(/<\/?([a-z]+)/gi)].map((match) => match[1]));
    expect([...tags].sort()).toEqual(['g', 'line', 'rect', 'svg', 'text', 'title']);
    expect(svg).not.toMatch(/[\0-\x08]|\p{Surrogate}/u);
    expect(svg).not.toMatch(/href|url\(/);
    // Every & begins an entity.
    expect(svg.match(/&(?!(?:amp|lt|gt|quot|#39);)/g)).toBeNull();
  });

  test('csv', () => {
    const csv = exportText(hostile, 'csv');
    expect(csv.split('\r\n')[0]).toBe('unit,label,kind,start,end,tokens,score,share,rank');
    expect(csv).toContain(`,'=1+1,`);
    expect(csv).toContain(`,"a,""b""\n",`);
  });
});

test('text a reader can take out again', () => {
  expect(
    textRuns(hostile)
      .map((run) => run.text)
      .join(''),
  ).toBe(hostile.prompt.text);
});

test('sign is readable without colour', () => {
  const explanation = explanationOf(['up', 'down', 'none'], [1, -1, 0]);
  const svg = exportText(explanation, 'svg');
  const lineOf = (label: string) => svg.split('\n').find((line) => line.includes(`<title>${label}:`)) ?? '';
  expect(lineOf('up')).toMatch(/<line(?!.*dasharray)/);
  expect(lineOf('down')).toMatch(/<line.*dasharray/);
  expect(lineOf('none')).not.toContain('<line');
  expect(lineOf('up')).toContain('+1 nat, rank 1');
  const html = exportText(explanation, 'html');
  expect(html).toContain('<span class="raise5" title="+1 nats, rank 1, 50.0 % of all" data-score="1">up</span>');
  expect(html).toMatch(/\.lower5\{[^}]*underline dashed/);
});

test('sinks, template and control tokens are neither coloured nor ranked', () => {
  const explanation = explanationOf(['sink', 'word', 'end'], [100, 1, 50], ['sink', 'text', 'special']);
  expect(exportText(explanation, 'html')).toContain(
    '<span class="raise5" title="+1 nats, rank 1, 100.0 % of all" data-score="1">word</span>',
  );
  const rows = exportText(explanation, 'csv').split('\r\n');
  expect(rows.slice(1, 4).map((row) => row.split(',').slice(-3))).toEqual([
    ['100', '0', ''],
    ['1', '1', '1'],
    ['50', '0', ''],
  ]);
});

describe('text set in cells', () => {
  const cases: [text: string, columns: number, expected: [string, number, number, number][]][] = [
    ['abc', 10, [['abc', 0, 0, 3]]],
    [
      'abcdef',
      4,
      [
        ['abcd', 0, 0, 4],
        ['ef', 1, 0, 2],
      ],
    ],
    [
      'a\nb\r\nc',
      10,
      [
        ['a', 0, 0, 1],
        ['b', 1, 0, 1],
        ['c', 2, 0, 1],
      ],
    ],
    [
      '日本',
      3,
      [
        ['日', 0, 0, 2],
        ['本', 1, 0, 2],
      ],
    ],
    ['e\u0301x', 10, [['e\u0301x', 0, 0, 2]]],
    ['\ta', 10, [['    a', 0, 0, 5]]],
  ];
  test.each(cases)('%j in %d', (text, columns, expected) => {
    const { placed } = layOut([{ text, unit: 0 }], columns);
    expect(placed.map((run) => [run.text, run.line, run.column, run.width])).toEqual(expected);
  });
});

describe('export to a file', () => {
  const withFolder = async (use: (folder: string) => Promise<void>) => {
    const folder = await mkdtemp(join(tmpdir(), 'loupe-export-'));
    await use(folder).finally(() => rm(folder, { recursive: true, force: true }));
  };

  test('json comes back as it was', () =>
    withFolder(async (folder) => {
      const explanation = explanationOf(['a', 'b'], [1, 2]);
      const out = join(folder, 'a.json');
      const { bytes } = await exportExplanation({ explanation, format: 'json', out });
      const text = await readFile(out, 'utf8');
      expect(Buffer.byteLength(text)).toBe(bytes);
      expect(parseExplanation(JSON.parse(text))).toEqual(explanation);
    }));

  test('what is no explanation is refused, and nothing is written', () =>
    withFolder(async (folder) => {
      const out = join(folder, 'a.html');
      const wrong = { ...explanationOf(['a'], [1]), schema: 2 } as unknown as Explanation;
      await expect(exportExplanation({ explanation: wrong, format: 'html', out })).rejects.toMatchObject({
        code: 'E_EXPLANATION_VERSION',
      });
      expect(await readdir(folder)).toEqual([]);
    }));
});
