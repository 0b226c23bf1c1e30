/** The built command line on real models: results, streams, signals. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { displayWidth } from '../../src/cli/terminal/displayWidth.ts';
import { type Explanation, explanationSchema } from '../../src/shared/explanation.ts';
import type { GraphTensor } from '../../src/onnx/graph/graph.ts';
import { readGraph } from '../../src/onnx/proto/readGraph.ts';
import { writeGraph } from '../../src/onnx/proto/writeGraph.ts';
import { type CliOptions, runCli, startCli, tinyModel } from './cliProcess.ts';
import { scratchFolder } from './scratchFolder.ts';

const { folder, file } = scratchFolder();
const prompt = file('prompt.txt', 'The cat sat on the mat.');
const tiny = ['--model', tinyModel, '--threads', '1'];

/** A gradient says what it needs, once; everything else is silent. */
const planOnly = /^(gradient: needs [\d,]+ MB beside the model, [\d,]+ MB allowed; [^\n]+\n)?$/;

async function json(argv: readonly string[], options?: CliOptions): Promise<unknown> {
  const { code, stdout, stderr } = await runCli([...argv, ...tiny, '--json'], options);
  expect(code).toBe(0);
  expect(stderr).toMatch(planOnly);
  // One object on one line and nothing else.
  expect(stdout).toMatch(/^\{[^\n]*\}\n$/);
  return JSON.parse(stdout);
}

const alternative = v.strictObject({ id: v.number(), text: v.string(), logprob: v.number() });
const token = { id: v.number(), text: v.string(), start: v.number(), end: v.number() };

describe('--json', () => {
  test.each<[string[]]>([
    [[]],
    [['--method', 'occlusion']],
    [['--method', 'attention']],
    [['--method', 'saliency', '--precision', 'dequantised', '--method-option', 'norm=l1']],
    [['--method', 'input-x-gradient', '--target', 'response']],
    [['--method', 'attention-x-gradient', '--method-option', 'aggregation=signed', '--target', 'contrast:a|b']],
    [['--method', 'integrated-gradients', '--method-option', 'steps=4', '--target', 'span:0-1']],
    [['--gradient-memory', '200', '--weight-memory', '0']],
    [['--method', 'random', '--seed', '7']],
    [['--units', 'token', '--target', 'response', '--score', 'logprob']],
    [['--target', 'contrast:a|b']],
    [['--target', 'id:40', '--score', 'prob']],
    [['--target', 'text: dog', '--method', 'occlusion', '--method-option', 'replacement=neutral']],
    [['--target', 'span:0-1', '--units', 'sentence']],
    [['--response', ' on the mat', '--target', 'response']],
  ])('explain %j prints an Explanation', async (options) => {
    const explanation = v.parse(explanationSchema, await json(['explain', prompt, '--max-tokens', '3', ...options]));
    expect(explanation.prompt.text).toBe('The cat sat on the mat.');
    expect(explanation.scores).toHaveLength(explanation.units.length);
    expect(explanation.method.seed).toBe(options.includes('--seed') ? 7 : 0);
  });

  test('explain gives the same scores twice', async () => {
    const argv = ['explain', prompt, '--max-tokens', '2'];
    const [first, second] = [v.parse(explanationSchema, await json(argv)), v.parse(explanationSchema, await json(argv))];
    expect(first.scores).toEqual(second.scores);
    // What the check cost holds its time.
    const checked = ({ faithfulness }: typeof first) => ({ ...faithfulness, cost: faithfulness?.cost?.forwardPasses });
    expect(checked(second)).toEqual(checked(first));
  });

  test('logprobs', async () => {
    const top = v.array(alternative);
    const schema = v.strictObject({
      tokens: v.array(
        v.strictObject({ ...token, special: v.boolean(), logprob: v.nullable(v.number()), rank: v.nullable(v.number()), top }),
      ),
      next: v.strictObject({ top }),
    });
    const { tokens, next } = v.parse(schema, await json(['logprobs', prompt, '--top', '4']));
    expect(tokens[0]?.logprob).toBeNull();
    expect(tokens.slice(1).every(({ logprob, top: listed }) => logprob !== null && listed.length === 4)).toBe(true);
    expect(next.top).toHaveLength(4);
  });

  test('generate, from standard input and with variables', async () => {
    const schema = v.object({
      text: v.string(),
      tokens: v.array(v.object({ ...alternative.entries, alternatives: v.array(alternative) })),
    });
    const options = { stdin: '[{"role":"user","content":"Say {{word}}"}]' };
    const argv = [
      'generate',
      '-',
      '--format',
      'messages-json',
      '--var',
      'word=hi',
      '--max-tokens',
      '4',
      '--temperature',
      '0.7',
      '--seed',
      '3',
    ];
    const { tokens } = v.parse(schema, await json(argv, options));
    expect(tokens.length).toBeLessThanOrEqual(4);
  });

  test('attention: row-major, each row sums to one', async () => {
    const schema = v.strictObject({
      tokens: v.array(v.strictObject({ ...token, special: v.boolean() })),
      layer: v.literal(1),
      head: v.literal(3),
      shape: v.tuple([v.number(), v.number()]),
      values: v.array(v.number()),
    });
    const { tokens, shape, values } = v.parse(schema, await json(['attention', prompt, '--layer', '1', '--head', '3']));
    expect(shape).toEqual([tokens.length, tokens.length]);
    for (let query = 0; query < shape[0]; query += 1) {
      const row = values.slice(query * shape[1], (query + 1) * shape[1]);
      expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 4);
    }
  });

  test('capture writes the tensors it names', async () => {
    const out = path.join(folder, 'sites.safetensors');
    const schema = v.object({
      out: v.string(),
      bytes: v.number(),
      tensors: v.array(v.object({ name: v.string(), shape: v.array(v.number()) })),
    });
    const result = v.parse(
      schema,
      await json(['capture', prompt, '--sites', 'resid_post,pattern.2,logits', '--layers', '0,1', '--out', out]),
    );
    const written = readFileSync(out);
    const header = JSON.parse(written.subarray(8, 8 + Number(written.readBigUInt64LE(0))).toString('utf8')) as Record<
      string,
      object
    >;
    const names = Object.keys(header).filter((name) => name !== '__metadata__');
    expect(names.sort()).toEqual(['logits', 'pattern.2', 'resid_post.0', 'resid_post.1']);
    expect(result.tensors.map(({ name }) => name).sort()).toEqual(names);
    expect(result.bytes).toBe(written.length);
  });

  test('capture --gradients writes both of each site, over prompt and response', async () => {
    const out = path.join(folder, 'gradients.safetensors');
    const argv = ['capture', prompt, '--sites', 'embed,pattern', '--layers', '1', '--gradients', '--out', out];
    await json([...argv, '--target', 'text: dog', '--score', 'logit', '--precision', 'dequantised']);
    const written = readFileSync(out);
    const header = JSON.parse(written.subarray(8, 8 + Number(written.readBigUInt64LE(0))).toString('utf8')) as Record<
      string,
      { shape: number[] } & Record<string, string>
    >;
    expect(Object.keys(header)).toEqual(['__metadata__', 'embed', 'grad.embed', 'pattern.1', 'grad.pattern.1']);
    const metadata = header['__metadata__'];
    const tokens = JSON.parse(metadata?.tokens ?? '') as number[];
    expect(tokens.length).toBeGreaterThan(Number(metadata?.prompt_tokens));
    expect(header['grad.embed']?.shape[0]).toBe(tokens.length);
    expect(metadata).toMatchObject({ precision: 'dequantised', target: expect.stringContaining('"unit":"logit"') as string });
  });

  test('attention --gradient: signed, with the target it is weighted by', async () => {
    const schema = v.strictObject({
      tokens: v.array(v.object({ id: v.number() })),
      layer: v.literal(1),
      head: v.literal(3),
      shape: v.tuple([v.number(), v.number()]),
      values: v.array(v.number()),
      weightedBy: v.strictObject({ label: v.string(), unit: v.literal('logit') }),
    });
    const argv = ['attention', prompt, '--layer', '1', '--head', '3', '--gradient', '--target', 'id:40'];
    const { values } = v.parse(schema, await json(argv));
    expect(values.some((value) => value < 0) && values.some((value) => value > 0)).toBe(true);
  });

  test('--ids takes token ids as they are', async () => {
    const schema = v.object({ tokens: v.array(v.object({ id: v.number() })) });
    const { tokens } = v.parse(schema, await json(['logprobs', '--ids', '84,257,32']));
    expect(tokens.map(({ id }) => id)).toEqual([84, 257, 32]);
  });

  test('models and models inspect', async () => {
    const listed = await runCli(['models', '--json', '--folder', path.dirname(tinyModel)]);
    expect(listed.stdout).toMatch(/^\{"models":\[.*\]\}\n$/);
    expect(listed.stdout).toContain('SmolLM2-135M-Instruct.Q4_1.gguf');
    expect(listed.stdout).toContain(JSON.stringify(tinyModel).slice(1, -1));
    const inspected = await runCli(['models', 'inspect', tinyModel, '--json']);
    expect(JSON.parse(inspected.stdout)).toMatchObject({ architecture: 'llama', layers: 3, heads: 4, vocabulary: 267 });
  });

  test('--provider: one that ONNX Runtime does not have is refused with those it has', async () => {
    const onnx = path.join(import.meta.dirname, '../fixtures/onnx/llama_torch_legacy/model.onnx');
    const refused = await runCli(['logprobs', '--ids', '1,2', '--model', onnx, '--provider', 'abacus']);
    expect(refused.code).toBe(5);
    expect(refused.stderr).toMatch(/E_ONNX_PROVIDER: .*"abacus".*lists cpu/);
    // Where its libraries are missing, ONNX Runtime would print where it looked for them.
    const absent = await runCli(['logprobs', '--ids', '1,2', '--model', onnx, '--provider', 'cuda', '--threads', '1']);
    expect(absent.stderr).not.toMatch(/node_modules|\[E:/);
  });

  test('an ONNX model without a vocabulary explains token ids, each a word, and takes targets by id', async () => {
    const model = path.join(import.meta.dirname, '../fixtures/onnx/llama_torch_legacy/model.onnx');
    const given = ['explain', '--ids', '1,2,3,4', '--model', model, '--threads', '1', '--method', 'occlusion', '--json'];
    const explained = await runCli([...given, '--target', 'text: <7> <8>']);
    expect(explained.code).toBe(0);
    const { prompt, target, units } = JSON.parse(explained.stdout) as Explanation;
    expect(prompt.text).toBe(' <1> <2> <3> <4>');
    expect(target).toMatchObject({ ids: [7, 8] });
    expect(units.map(({ tokens }) => tokens)).toEqual([[0], [1], [2], [3]]);
    const text = await runCli(['explain', '-', '--model', model], { stdin: 'words' });
    expect(text).toMatchObject({ code: 4, stdout: '' });
    expect(text.stderr).toMatch(/^E_TOKENIZER_MISSING/);
    const neutral = await runCli([...given, '--target', 'text: <7>', '--method-option', 'replacement=neutral']);
    expect(neutral).toMatchObject({ code: 3, stdout: '' });
    expect(neutral.stderr).toMatch(/^E_NEUTRAL_TOKEN: no neutral token [^\n]*replacement=drop[^\n]*\n$/);
  });

  test('a failure of ONNX Runtime is one line: it prints nothing of its own', async () => {
    const fixture = path.join(import.meta.dirname, '../fixtures/onnx/llama_torch_legacy/model.onnx');
    const graph = readGraph(fixture);
    // The table of embeddings ends before the vocabulary does.
    const name = graph.nodes.find(({ op }) => op === 'Gather')?.inputs[0] ?? '';
    const table = graph.initializers.get(name) as GraphTensor;
    const range = { ...table.range!, length: (table.range!.length / 320) * 319 };
    graph.initializers.set(name, { ...table, dims: [319, 64], range });
    file('model.onnx', readFileSync(fixture));
    const model = file('short.onnx', Buffer.from(writeGraph(graph, { outputs: ['logits'] })));
    const failed = await runCli(['logprobs', '--ids', '1,2,319', '--model', model, '--threads', '1', '--json']);
    expect(failed).toMatchObject({ code: 4, stdout: '' });
    expect(failed.stderr).toMatch(/^E_ONNX_RUNTIME: [^\n]*Gather[^\n]*\n$/);
  });

  test('models inspect of an ONNX file: what was opened up, what is fixed, what was not recognised', async () => {
    const onnx = (name: string) => path.join(import.meta.dirname, '../fixtures/onnx', name, 'model.onnx');
    const { stdout } = await runCli(['models', 'inspect', onnx('llama_genai_fp32'), '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      format: 'onnx',
      layers: 2,
      graph: {
        openedUp: [
          { operator: 'com.microsoft:GroupQueryAttention', count: 2 },
          { operator: 'com.microsoft:SkipSimplifiedLayerNormalization', count: 4 },
        ],
        writesAsItIs: true,
        fixedBatch: null,
        withoutGradient: [],
        unrecognised: [],
      },
    });
    const shown = await runCli(['models', 'inspect', onnx('batch_two')]);
    expect(shown.stdout).toMatch(/batch +2 sequences, fixed/);
    expect(shown.stdout).toMatch(/opened up +nothing/);
    expect(shown.stdout).not.toContain('[object');
  });
});

describe('exports', () => {
  test('--html, --svg and --csv are written beside the printed result', async () => {
    const files = ['html', 'svg', 'csv'].map((ending) => [`--${ending}`, path.join(folder, `result.${ending}`)]);
    await json(['explain', prompt, '--max-tokens', '2', ...files.flat()]);
    for (const [, written] of files) expect(existsSync(written!)).toBe(true);
    expect(readFileSync(path.join(folder, 'result.svg'), 'utf8')).toContain('<svg');
    // Nothing temporary is left.
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

describe('a PNG', () => {
  const png = ['--png', 'picture.png'];
  const size = () => {
    const header = readFileSync(path.join(folder, 'picture.png'));
    expect(header.subarray(1, 4).toString()).toBe('PNG');
    return [header.readUInt32BE(16), header.readUInt32BE(20)];
  };

  test('is as the SVG, two pixels a unit', async () => {
    const argv = ['explain', prompt, '--max-tokens', '2', '--method', 'occlusion', '--svg', 'picture.svg', ...png, ...tiny];
    const { code, stderr } = await runCli(argv, { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(readFileSync(path.join(folder, 'picture.svg'), 'utf8')) ?? [];
    expect(size()).toEqual([2 * Number(width), 2 * Number(height)]);
  });

  test('says which letters it cannot draw, and draws the rest', async () => {
    const argv = ['explain', '-', '--max-tokens', '2', '--method', 'occlusion', ...png, ...tiny];
    const { code, stderr } = await runCli(argv, { cwd: folder, stdin: 'The cat 巴黎 sat' });
    expect(code).toBe(0);
    expect(stderr).toBe(
      '2 characters of the picture have no glyph and are drawn as boxes: 巴 黎. --font FILE gives a font that has them.\n',
    );
    expect(size()[0]).toBeGreaterThan(1000);
  });

  test.each([
    [['--font', 'missing.ttf', ...png], /E_USAGE: the font missing\.ttf cannot be used/],
    [['--font', prompt, ...png], /E_USAGE: the font .* cannot be used: it is no TrueType/],
    [['--font', 'missing.ttf'], /E_USAGE: --font is for a PNG/],
  ])('%j is refused before any work', async (options, message) => {
    const { code, stderr } = await runCli(['explain', prompt, ...options, ...tiny], { cwd: folder });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
  });
});

describe('terminal output', () => {
  const argv = ['explain', prompt, '--max-tokens', '2', ...tiny];

  test('piped: no escape sequence, marks instead of colours', async () => {
    const { code, stdout, stderr } = await runCli([...argv, '--method', 'occlusion']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toMatch(/\[[+−][1-5]\]/);
    expect(stdout).toMatch(/What mattered most \(words\)\n +1 {2}\S/);
    expect(stdout).toMatch(/^Faithfulness: /m);
    expect(stdout).toMatch(/^Stage: final/m);
  });

  test('a method without signs says so, in legend and ranking; its plan is one line on standard error', async () => {
    const { code, stdout, stderr } = await runCli([...argv, '--method', 'saliency']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^gradient: [^\n]+as served[^\n]+\n$/);
    expect(stdout).toMatch(/^Method: saliency \(norm=l2, perToken=false, precision=as-served\), seed 0$/m);
    expect(stdout).toMatch(/no sign\n\+5 = [\d.e-]+ nat per unit of embedding/);
    expect(stdout).toMatch(/\(words\)\n +1 {2}\S+ +[\d.]+ /);
  });

  test('integrated gradients say whether they add up', async () => {
    const { stdout } = await runCli([...argv, '--method', 'integrated-gradients']);
    expect(stdout).toMatch(/^Completeness: the scores add up to [+−][\d.]+ of [+−][\d.]+, gap [<\d.]+ %, \d+ points$/m);
  });

  test.each([
    [{ FORCE_COLOR: '3' }, '\u001b[48;2;'],
    [{ FORCE_COLOR: '2' }, '\u001b[48;5;'],
  ])('%o uses that many colours', async (environment, sequence) => {
    const { stdout } = await runCli(argv, { environment });
    expect(stdout).toContain(sequence);
    expect(stdout).not.toMatch(/\[[+−][1-5]\]/);
  });

  test('NO_COLOR wins over FORCE_COLOR, and COLUMNS bounds the lines', async () => {
    const { stdout } = await runCli(argv, { environment: { FORCE_COLOR: '3', NO_COLOR: '1', COLUMNS: '60' } });
    expect(stdout).not.toContain('\u001b');
    expect(Math.max(...stdout.split('\n').map(displayWidth))).toBeLessThanOrEqual(60);
  });

  test('escape sequences in a prompt are shown, not sent', async () => {
    // A bell and other controls are refused as binary; C1 and bidirectional controls are text to a tokenizer.
    const { code, stdout } = await runCli(['explain', '-', '--max-tokens', '1', ...tiny], {
      stdin: 'red \u009b31m and \u202eevil words',
    });
    expect(stdout).not.toMatch(/[\u009b\u202e]/);
    if (code === 0) expect(stdout).toContain('<U+202E>');
  });
});

describe('streams and signals', () => {
  test('a reader that closes early is no error', async () => {
    const child = await startCli(['explain', prompt, '--max-tokens', '2', ...tiny]);
    child.stdout?.destroy();
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code).toBe(0);
    expect(stderr).toMatch(planOnly);
  });

  // On Windows a process cannot be sent an interrupt of its own.
  test.skipIf(process.platform === 'win32').each([
    [1, 'occlusion', 'occlusion'],
    [2, 'occlusion', 'occlusion'],
    [1, 'integrated-gradients', 'gradient ('],
  ])('Ctrl-C %i× in the middle of %s: 130 and nothing on standard output', async (times, method, phase) => {
    let sent = false;
    const long = file('long.txt', 'Every visitor of the small museum beside the harbour asks the same question. '.repeat(4));
    const { code, stdout, stderr } = await runCli(
      ['explain', long, '--units', 'token', '--max-tokens', '1', '--threads', '1', '--json', '--verbose', '--method', method],
      {
        onStderr: (child, said) => {
          if (sent || !said.includes(phase)) return;
          sent = true;
          for (let time = 0; time < times; time += 1) child.kill('SIGINT');
        },
      },
    );
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    if (times === 1) expect(stderr).toMatch(/E_CANCELLED: [^\n]+; [^\n]+; [^\n]+\n/);
  });

  test.skipIf(process.platform === 'win32').each([1, 2])('Ctrl-C %i× inside a pass of ONNX Runtime', async (times) => {
    let sent = false;
    const model = path.join(import.meta.dirname, '../fixtures/onnx/llama_torch_legacy/model.onnx');
    const ids = Array.from({ length: 2500 }, (_, index) => 3 + (index % 300)).join();
    const { code, stdout, stderr } = await runCli(
      ['explain', '--ids', ids, '--model', model, '--threads', '1', '--json', '--verbose', '--method', 'integrated-gradients'],
      {
        onStderr: (child, said) => {
          if (sent || !said.includes('gradient (')) return;
          sent = true;
          for (let time = 0; time < times; time += 1) child.kill('SIGINT');
        },
      },
    );
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).not.toContain('terminate');
  });
});
