import { realpathSync, statSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { onnxExternalData } from '../../shared/onnxErrors.ts';

export interface ExternalFile {
  /** Relative to the folder of the model, with slashes on every system, as ONNX writes it. */
  readonly file: string;
  readonly path: string;
  readonly bytes: number;
}

/**
 * Files of weights beside a model. A model is hostile input: the names it gives may not lead out of its folder, neither by
 * their text nor by symbolic links. Where the model file is itself a link (the cache of the Hugging Face hub), its folder is that of
 * the file the link leads to, and a data file there may be a link into the same folder.
 */
export class ExternalFiles {
  readonly #known = new Map<string, ExternalFile>();

  constructor(
    private readonly model: string,
    /** Folder of the path the user gave: where names are looked up. */
    private readonly nominalFolder: string,
    /** Real folder of the model: where every file must lie. */
    private readonly realFolder: string,
  ) {}

  /** @throws E_ONNX_EXTERNAL_DATA */
  find(location: string): ExternalFile {
    const known = this.#known.get(location);
    if (known !== undefined) return known;
    const found = this.#locate(location);
    this.#known.set(location, found);
    return found;
  }

  #locate(location: string): ExternalFile {
    const refuse = (why: string) => onnxExternalData(this.model, location, why);
    if (location === '' || location.includes('\0')) throw refuse('it is no name of a file');
    if (isAbsolute(location) || /^([A-Za-z]:|[\\/])/.test(location)) throw refuse('it is an absolute path');
    if (location.split(/[\\/]/).includes('..')) throw refuse('it leads out of the folder of the model');
    let path: string;
    try {
      path = realpathSync(resolve(this.nominalFolder, location));
    } catch {
      throw refuse('there is no such file beside the model, or it may not be read');
    }
    if (!path.startsWith(this.realFolder.endsWith(sep) ? this.realFolder : this.realFolder + sep)) {
      throw refuse('it is a link that leads out of the folder of the model');
    }
    const stat = statSync(path);
    if (!stat.isFile()) throw refuse('it is not a file');
    return { file: relative(this.realFolder, path).split(sep).join('/'), path, bytes: stat.size };
  }
}
