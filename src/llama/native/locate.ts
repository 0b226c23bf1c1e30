/** Finds the prebuilt llama.cpp libraries inside the platform package of node-llama-cpp. */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { runtimeMissing } from '../../shared/errorCatalog.ts';

/** Platform and processor → package and its folder of binaries (both have the same name). */
const packages: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-x64': 'mac-x64',
  'darwin-arm64': 'mac-arm64-metal',
  'win32-x64': 'win-x64',
  'win32-arm64': 'win-arm64',
};

export interface LibraryFiles {
  readonly directory: string;
  readonly ggmlBase: string;
  readonly ggml: string;
  readonly llama: string;
  /** One build per processor generation; the best one for this processor is chosen when the libraries are loaded. */
  readonly cpu: readonly string[];
}

/** @throws E_RUNTIME_MISSING when this system has no package, or a file is not in it */
export function locateLibraries(): LibraryFiles {
  const platform = `${process.platform}-${process.arch}`;
  const name = packages[platform];
  if (name === undefined) throw runtimeMissing(platform, 'no build of llama.cpp exists for this system');
  const packageName = `@node-llama-cpp/${name}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(packageName);
  } catch {
    throw runtimeMissing(platform, `the package ${packageName} is not installed`);
  }
  return librariesIn(path.join(path.dirname(entry), '..', 'bins', name), platform);
}

/** @throws E_RUNTIME_MISSING */
export function librariesIn(directory: string, platform: string): LibraryFiles {
  let names: string[];
  try {
    names = readdirSync(directory).filter((file) => /\.(so|dylib|dll)$/.test(file));
  } catch {
    throw runtimeMissing(platform, `the folder ${directory} cannot be read`);
  }
  const one = (pattern: RegExp): string => {
    const matching = names.filter((file) => pattern.test(file));
    const [file] = matching;
    if (file === undefined || matching.length > 1) {
      throw runtimeMissing(platform, `${directory} should hold exactly one library like ${pattern.source}`);
    }
    return path.join(directory, file);
  };
  const cpu = names.filter((file) => /^(lib)?ggml-cpu[.-]/.test(file)).map((file) => path.join(directory, file));
  if (cpu.length === 0) throw runtimeMissing(platform, `${directory} holds no processor backend`);
  return {
    directory,
    ggmlBase: one(/^(lib)?ggml-base\./),
    ggml: one(/^(lib)?ggml\.(\w+\.)?v\d/),
    llama: one(/^(lib)?llama\.(\w+\.)?v\d/),
    cpu,
  };
}
