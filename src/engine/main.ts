/** The engine's one bundle: the child process, and the thread inside it (or inside the command line) that holds the model. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { serveModel } from './modelWorker.ts';
import { serveProcess } from './engineProcess.ts';
import type { WorkerStart } from './workerProtocol.ts';

if (parentPort !== null && !isMainThread) serveModel(parentPort, workerData as WorkerStart);
else serveProcess(__filename);
