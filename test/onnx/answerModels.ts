/** The tiny BERT of the fixtures with a tokenizer and named classes, and the same without its head: a sentence encoder. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { prepareGraph } from '../../src/onnx/lowering/prepareGraph.ts';
import { readGraph } from '../../src/onnx/proto/readGraph.ts';
import { writeGraph } from '../../src/onnx/proto/writeGraph.ts';
import { recognise } from '../../src/onnx/structure/recognise.ts';
import { modelFile } from './fixture.ts';

export interface AnswerModels {
  /** Classes negative, neutral, positive. */
  readonly classifier: string;
  readonly encoder: string;
}

/** Writes both into `folder`, which is made where it is missing. */
export async function writeAnswerModels(folder: string): Promise<AnswerModels> {
  const [classifier, encoder] = [path.join(folder, 'classifier.onnx'), path.join(folder, 'encoder.onnx')];
  const source = modelFile('bert_cls_optimum');
  mkdirSync(folder, { recursive: true });
  copyFileSync(source, classifier);
  copyFileSync('test/fixtures/onnx-tokenizers/bert_uncased/tokenizer.json', path.join(folder, 'tokenizer.json'));
  const configuration = {
    model_type: 'bert',
    id2label: { 0: 'negative', 1: 'neutral', 2: 'positive' },
    max_position_embeddings: 64,
  };
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify(configuration));
  // Its last hidden states are what an encoder answers with.
  const { graph, probe } = await prepareGraph(source, { precision: 'asServed', threads: 1 });
  const states = recognise(graph, probe).layers.at(-1)?.residPost ?? '';
  writeFileSync(encoder, writeGraph(readGraph(classifier), { outputs: [states] }));
  return { classifier, encoder };
}
