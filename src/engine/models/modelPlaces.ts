import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folders in which model files may lie. None of them needs to exist. */
export interface ModelPlaces {
  readonly bundled: readonly string[];
  /** Folders with `manifests` and `blobs`. */
  readonly ollama: readonly string[];
  readonly lmStudio: readonly string[];
  /** Folders with `models--<owner>--<name>`. */
  readonly huggingFace: readonly string[];
}

/** What the machine decides places by; tests give their own. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly platform: NodeJS.Platform;
  /** The folder of the running code. */
  readonly code: string;
}

export function currentSurroundings(): Surroundings {
  return {
    environment: process.env,
    home: homedir(),
    platform: process.platform,
    code: dirname(fileURLToPath(import.meta.url)),
  };
}

/**
 * Ollama: its FAQ, "Where are models stored?". LM Studio: its documentation, "Import Models"; the cache folder is that of
 * versions before 0.3. Hugging Face: "Hub Local Cache", "Cache location".
 */
export function modelPlaces({ environment, home, platform, code }: Surroundings): ModelPlaces {
  const set = (name: string) => (environment[name] === '' ? undefined : environment[name]);
  const ollama = set('OLLAMA_MODELS');
  const cache = set('XDG_CACHE_HOME') ?? join(home, '.cache');
  const service = platform === 'linux' ? ['/usr/share/ollama/.ollama/models'] : [];
  const hub = set('HF_HUB_CACHE') ?? set('HUGGINGFACE_HUB_CACHE') ?? join(set('HF_HOME') ?? join(cache, 'huggingface'), 'hub');
  return {
    bundled: bundledFolder(code),
    ollama: ollama === undefined ? [join(home, '.ollama', 'models'), ...service] : [ollama],
    lmStudio: [join(home, '.lmstudio', 'models'), join(home, '.cache', 'lm-studio', 'models')],
    huggingFace: [hub],
  };
}

/** The `models` folder of the package that holds the running code, however deep a bundle lies in it. */
function bundledFolder(code: string): string[] {
  for (let folder = code; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'models'))) return [join(folder, 'models')];
    if (dirname(folder) === folder) return [];
  }
}
