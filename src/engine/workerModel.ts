import type { Model } from '../model/model.ts';
import { ModelThread, type ModelThreadOptions, type OpenOptions } from './modelThread.ts';

/**
 * Opens one model on a worker thread that lives and ends with it, for callers that need no queue.
 * @throws as `ModelThread.open`
 */
export async function openWorkerModel(file: string, options: ModelThreadOptions & OpenOptions): Promise<Model> {
  const thread = new ModelThread(options);
  try {
    const model = await thread.open(file, options);
    return {
      ...model,
      dispose: async () => {
        await model.dispose();
        await thread.end();
      },
    };
  } catch (error) {
    await thread.end();
    throw error;
  }
}
