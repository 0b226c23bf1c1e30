import { llamaServer } from './llamaServer/llamaServer.ts';
import type { ServerProtocol } from './serverProtocol.ts';
import { vllm } from './vllm/vllm.ts';

/** In the order in which they are tried. */
export const serverProtocols: readonly ServerProtocol[] = [llamaServer, vllm];
