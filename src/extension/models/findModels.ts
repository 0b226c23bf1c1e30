import type { FoundModel } from '../../shared/protocol/engine.ts';
import type { EngineService } from '../engineService.ts';

/** Every model that can be picked: the bundled one first, then what the engine finds on this machine. */
export async function findModels(
  engine: Pick<EngineService, 'listModels'>,
  bundled: FoundModel | null,
  folders: readonly string[],
): Promise<readonly FoundModel[]> {
  const found = await engine.listModels(folders);
  return bundled === null ? found : [bundled, ...found];
}
