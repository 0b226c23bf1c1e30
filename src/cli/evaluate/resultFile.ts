/**
 * Results as they become known: one JSON object a line, appended and flushed, so that a run that was ended at any instruction goes
 * on where it stopped. A last line that was cut off is no result; a damaged one before it is an error.
 */
import { type FileHandle, open, readFile, truncate } from 'node:fs/promises';
import * as v from 'valibot';
import { outputUnwritable } from '../../shared/errorCatalog.ts';
import { resultsCorrupt } from '../../shared/evaluationErrors.ts';

const resultSchema = v.object({
  /** What was asked: model, prompt, method, target, units, seed, measures. */
  key: v.string(),
  case: v.string(),
  method: v.string(),
  measures: v.array(v.object({ id: v.string(), value: v.number(), random: v.number(), gain: v.number() })),
  verdict: v.string(),
  forwardPasses: v.number(),
  milliseconds: v.number(),
  /** What the method said, for comparing it with others; lines written before this was kept have none. */
  scores: v.optional(
    v.object({
      /** [units] */
      values: v.array(v.number()),
      /** Whether they have a sign; else they are sizes. */
      signed: v.boolean(),
      /** Indices of the units that are ranked. */
      ranked: v.array(v.pipe(v.number(), v.integer(), v.minValue(0))),
    }),
  ),
});

export type Result = v.InferOutput<typeof resultSchema>;

export class ResultFile {
  readonly #known: Map<string, Result>;
  readonly #handle: FileHandle | null;

  private constructor(known: Map<string, Result>, handle: FileHandle | null) {
    this.#known = known;
    this.#handle = handle;
  }

  /** Without a file results live as long as the run. @param fresh forget what the file holds @throws E_RESULTS_CORRUPT, E_OUTPUT_UNWRITABLE */
  static async open(file: string | undefined, fresh: boolean): Promise<ResultFile> {
    if (file === undefined) return new ResultFile(new Map(), null);
    try {
      if (fresh) await truncateIfThere(file);
      const { results, wholeBytes } = await readResults(file);
      // What a kill left of a last line would join the next one.
      if (wholeBytes !== null) await truncate(file, wholeBytes);
      return new ResultFile(new Map(results.map((result) => [result.key, result])), await open(file, 'a'));
    } catch (error) {
      if (error instanceof Error && 'syscall' in error) throw outputUnwritable(file, error.message);
      throw error;
    }
  }

  get(key: string): Result | undefined {
    return this.#known.get(key);
  }

  async add(result: Result): Promise<void> {
    this.#known.set(result.key, result);
    if (this.#handle === null) return;
    await this.#handle.appendFile(`${JSON.stringify(result)}\n`);
    await this.#handle.sync();
  }

  async close(): Promise<void> {
    await this.#handle?.close();
  }
}

async function truncateIfThere(file: string): Promise<void> {
  try {
    await truncate(file);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

async function readResults(file: string): Promise<{ readonly results: Result[]; readonly wholeBytes: number | null }> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return { results: [], wholeBytes: null };
    throw error;
  }
  const end = text.lastIndexOf('\n') + 1;
  const lines = text.slice(0, end).split('\n').slice(0, -1);
  const results = lines.map((line, index) => {
    const parsed = v.safeParse(resultSchema, jsonOf(line));
    if (!parsed.success) throw resultsCorrupt(file, index + 1, 'it is not a result that was written here');
    return parsed.output;
  });
  return { results, wholeBytes: Buffer.byteLength(text.slice(0, end)) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
