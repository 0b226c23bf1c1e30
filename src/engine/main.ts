/** The engine's one bundle: the child process, and the thread inside it (or inside the command line) that makes the native calls. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { serveModels } from './modelWorker.ts';
import { serveProcess } from './engineProcess.ts';
import type { WorkerStart } from './workerProtocol.ts';

if (parentPort !== null && !isMainThread) serveModels(parentPort, workerData as WorkerStart);
else serveProcess(__filename);
