import type { OnnxEvaluator } from '../evaluation/evaluator.ts';
import type { KeyValueGraph } from './keyValueGraph.ts';
import { keyValueRun, type KeyValueRequest, type KeyValueResult, keyValueSession } from './keyValueRun.ts';

/** The file's own graph with a session that is prepared once it is needed, and kept among the others of the model. */
export class KeyValueReader {
  constructor(
    private readonly model: KeyValueGraph,
    private readonly evaluator: Pick<OnnxEvaluator, 'sessions' | 'sessionOptions' | 'feedOptions'>,
  ) {}

  /** @throws E_ONNX_RUNTIME, E_ONNX_UNSUPPORTED */
  async run(request: KeyValueRequest): Promise<KeyValueResult> {
    const { sessions, sessionOptions, feedOptions } = this.evaluator;
    const session = await sessions.get('keys and values', () => keyValueSession(this.model, sessionOptions));
    return await keyValueRun(this.model, session, feedOptions, request);
  }
}
