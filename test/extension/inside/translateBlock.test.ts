/** Blocks in Chinese: messages found again in texts that hold values, and what tools really write on a tiny model. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Evidence, judge } from '../../../src/analysis/faithfulness/verdict.ts';
import { isFindable, renderedTranslator, translateExplanation, translateWarnings } from '../../../src/extension/renderedTexts.ts';
import { translateBlock } from '../../../src/extension/inside/translateBlock.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model } from '../../../src/model/model.ts';
import type { Explanation } from '../../../src/shared/explanation.ts';
import type { Block } from '../../../src/shared/inspection/blocks.ts';
import { toolOn, type ToolRun } from '../../analysis/runTool.ts';
import { testModels } from '../../setup/testModels.ts';
import { warningMessages } from '../warningMessages.ts';
import { blockMessages, blockSources } from './blockMessages.ts';

const chinese = JSON.parse(readFileSync('l10n/bundle.l10n.zh-cn.json', 'utf8')) as Record<string, string>;
const translate = renderedTranslator(chinese);

describe('texts with values', () => {
  const small = renderedTranslator({
    'Change of {0} with {1}': '{1}时{0}的变化',
    'set to zero': '置零',
    'Change of {0}': '{0}的变化',
    '{0} to {1}': '{0} 至 {1}',
    layer: '层',
    'the end of it{0}': '结尾{0}',
    ', {0} layers at a time': '，每次 {0} 层',
  });
  test.each([
    ['set to zero', '置零'],
    ['Change of ‘ Paris’ with set to zero', '置零时‘ Paris’的变化'],
    ['Change of ‘ Paris’', '‘ Paris’的变化'],
    // One word may be a token; a phrase is one of ours.
    ['Change of layer', 'layer的变化'],
    ['the end of it', '结尾'],
    ['the end of it, 3 layers at a time', '结尾，每次 3 层'],
    // Too few letters to know it by.
    ['1 to 2', '1 to 2'],
    ['nothing known', 'nothing known'],
    ['', ''],
    ['toString', 'toString'],
    ['Change of', 'Change of'],
  ])('%j', (text, expected) => {
    expect(small(text)).toBe(expected);
  });

  test('English stays English', () => {
    expect(renderedTranslator(undefined)('set to zero')).toBe('set to zero');
  });

  test('a long hostile text takes no time to speak of', () => {
    const hostile = `Change of ${' with '.repeat(200_000)}`;
    expect(small(hostile).length).toBeGreaterThan(1000);
  });

  test('each message is found again with values in it', () => {
    const messages = [...blockSources('src/analysis').flatMap(blockMessages), ...warningMessages()];
    expect(messages.length).toBeGreaterThan(330);
    const fill = (text: string | undefined) => text?.replaceAll(/\{(\d)\}/g, (_, place: string) => `‘v${place}’`);
    for (const message of messages) {
      expect(isFindable(message)).toBe(true);
      expect(translate(fill(message) ?? '')).toBe(fill(chinese[message]));
    }
  });
});

describe('warnings', () => {
  test.each([
    ['3 cases of the file were not run; max-cases says how many are.', '文件中有 3 个案例未运行；max-cases 决定运行多少个。'],
    // A reason within is a message of its own.
    ['How far to trust these scores was not measured. It was not asked for.', '未测量这些得分的可信程度。没有要求测量。'],
    [
      'The scores add up to −1.2 and should add up to 3: the mean over 8 samples has not converged. Do not read single scores; take more samples.',
      '得分之和为 −1.2，本应为 3：8 个样本的均值尚未收敛。不要解读单个得分；请增加样本。',
    ],
    ['said by a server in its own words', 'said by a server in its own words'],
  ])('%j', (message, expected) => {
    expect(translateWarnings([{ code: 'W_SOME', message }], translate)).toEqual([{ code: 'W_SOME', message: expected }]);
  });
});

test('why a picture is not trusted, each reason and the gap inside it', () => {
  const evidence: Evidence = {
    comprehensiveness: -1,
    sufficiency: 2,
    random: { comprehensiveness: 0, sufficiency: 1 },
    gain: -1,
    interval: [-2, 0],
    rankings: 20,
    asGood: 18,
    hiddenShare: 0.75,
    noise: 0.13,
    spread: 0,
    openShare: 0.6,
    certainty: 0.9995,
  };
  // Some reasons are only given of what is better than random.
  const reasons = [evidence, { ...evidence, gain: 1 }].flatMap((each) => judge(each).reasons);
  expect(new Set(reasons).size).toBeGreaterThan(8);
  const verdict = { ...judge(evidence), reasons: [...new Set(reasons)] };
  const faithfulness = { ...evidence, interval: [-2, 0] as [number, number], fractions: [0.1], ...verdict };
  const told = translateExplanation({ ...({} as Explanation), faithfulness, warnings: [] }, translate).faithfulness;
  expect(told?.reason).toBe(told?.reasons?.[0]);
  for (const reason of told?.reasons ?? []) expect(reason).toMatch(/^\p{Script=Han}/u);
  expect(told?.reasons).toContain('汇聚点占主导：75 % 的分数落在首个词元或模板词元上，它们本身没有含义。');
  expect(told?.reasons?.filter((reason) => reason.includes('各分数之和与应有的总和相差 60 %'))).toHaveLength(2);
});

/** The words of a block: not tokens, labels of rows, cells, or what the model was told and said. */
function wordsOf(block: Block): string[] {
  const own = [block.title, 'caption' in block ? block.caption : undefined].filter((text) => text !== undefined);
  const isQuoted = [translate('What it was asked'), translate('What it replied')].includes(block.title ?? '');
  if (block.kind === 'text') return isQuoted ? own : [...own, ...block.lines];
  if (block.kind === 'heat') return [...own, block.rows.title, block.columns.title];
  if (block.kind === 'table') return [...own, ...block.columns.map(({ label }) => label)];
  if (block.kind === 'curve') return [...own, block.x, block.y, ...block.series.map(({ label }) => label)];
  return own;
}

describe('what tools write', () => {
  let model: Model;
  beforeAll(async () => {
    model = await openLlamaModel(testModels.tinyLlama, { threads: 1, contextLength: 2048 });
  });
  afterAll(async () => {
    await model.dispose();
  });

  const text = '3 1 4 1 5 9';
  const corrupt = '3 1 7 1 5 9';
  const runs: readonly (readonly [tool: string, run: ToolRun])[] = [
    ['lens', {}],
    ['direct-logit', {}],
    ['weights', { parameters: { layer: 1, head: 1 } }],
    ['heads', { parameters: { repeat: 8 } }],
    ['neurons', {}],
    ['ablate', {}],
    ['ablate', { parameters: { how: 'resample', other: corrupt } }],
    ['patch', { parameters: { corrupt, estimate: 'beside' } }],
    ['trace', { parameters: { subject: '4', samples: 2 } }],
    ['path-patch', { parameters: { corrupt, sender: 'mlp 1' } }],
    ['circuit', { parameters: { corrupt, edges: 10, draws: 2, check: 3 } }],
    ['steer', { parameters: { layer: 1, toward: 'I love this.', away: 'I hate this.' } }],
    ['intervene', { parameters: { span: '4', values: '7|8' } }],
    ['counterfactual', { parameters: { budget: 10 } }],
    ['self-explanation', { parameters: { template: '{prompt}?{response}?{count}' } }],
  ];
  test.each(runs)('%s %j', async (tool, run) => {
    const { blocks } = await toolOn(model, tool, { text, ...run });
    const words = blocks.map((block) => translateBlock(block, translate)).flatMap(wordsOf);
    expect(words.length).toBeGreaterThan(2);
    // What has a word of English and none of Chinese was forgotten; names and quoted tokens have no translation.
    const bare = (word: string) =>
      word.replaceAll(/‘[^’]*’|"[^"]*"|\b(MLP|KL|ECE|AUROC|Brier|L\d+|H\d+|logit|log10|S_\w+)\b/g, '');
    const forgotten = words.filter((word) => /[a-z]{3}/i.test(bare(word)) && !/\p{Script=Han}/u.test(word));
    expect(forgotten).toEqual([]);
  });

  test('numbers, tokens and the other language are as they were', async () => {
    const { blocks } = await toolOn(model, 'lens', { text });
    const [first] = blocks;
    const shown = blocks.map((block) => translateBlock(block, translate));
    expect(first?.kind === 'heat' && shown[0]?.kind === 'heat' && shown[0].values === first.values).toBe(true);
    expect(shown[0]).toMatchObject({ texts: first?.kind === 'heat' ? first.texts : [] });
    const english = renderedTranslator(undefined);
    expect(blocks.map((block) => translateBlock(block, english))).toEqual(blocks);
  });
});
