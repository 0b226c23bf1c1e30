/** One factory per user error. Add a code here and a row to docs/errors.md; a test compares the two. */
import { LoupeError } from './errors.ts';

export const cancelled = () =>
  new LoupeError({
    code: 'E_CANCELLED',
    kind: 'cancelled',
    what: 'the run was cancelled',
    why: 'you or a newer request asked for it',
    action: 'run it again when you want the result',
  });

export const contextOverflow = (promptTokens: number, contextTokens: number) =>
  new LoupeError({
    code: 'E_CONTEXT_OVERFLOW',
    kind: 'input',
    what: `the prompt has ${promptTokens} tokens and the model's context holds ${contextTokens}`,
    why: 'nothing is ever cut silently',
    action: 'shorten the prompt, select a part of it, or load a model with a longer context',
    details: { promptTokens, contextTokens },
  });

export const methodUnsupported = (method: string, missing: string, supported: readonly string[]) =>
  new LoupeError({
    code: 'E_METHOD_UNSUPPORTED',
    kind: 'input',
    what: `the method "${method}" cannot run on this model`,
    why: `it needs ${missing}, which this model cannot give`,
    action: `choose one of: ${supported.join(', ')}`,
    details: { method, supported },
  });

export const methodSize = (method: string, tokens: number, why: string, alternative: string) =>
  new LoupeError({
    code: 'E_METHOD_SIZE',
    kind: 'input',
    what: `the method "${method}" cannot take ${tokens} tokens`,
    why,
    action: `shorten the prompt, or use the method ${alternative}`,
    details: { method, tokens },
  });

export const rpcMethodUnknown = (method: string) =>
  new LoupeError({
    code: 'E_RPC_METHOD_UNKNOWN',
    kind: 'engine',
    what: `the engine has no method "${method}"`,
    why: 'the editor and the engine come from different builds',
    action: 'reload the window; if it stays, install Prompt Loupe again',
    details: { method },
  });

export const engineCrashed = (
  why: string,
  action = 'run it again; if it stays, try a smaller model or open the output channel',
) => new LoupeError({ code: 'E_ENGINE_CRASHED', kind: 'engine', what: 'the engine stopped while it was working', why, action });

export const engineUnresponsive = (why: string) =>
  new LoupeError({
    code: 'E_ENGINE_UNRESPONSIVE',
    kind: 'engine',
    what: 'the engine stopped answering and was ended',
    why,
    action: 'run it again; give it fewer threads, or a shorter prompt, when the machine is busy',
  });

export const engineStopped = (why: string) =>
  new LoupeError({
    code: 'E_ENGINE_STOPPED',
    kind: 'engine',
    what: 'the engine is not running',
    why,
    action: 'start it again and repeat the command',
  });

export const outOfMemory = (why: string) =>
  new LoupeError({
    code: 'E_OUT_OF_MEMORY',
    kind: 'engine',
    what: 'the engine ran out of memory',
    why,
    action: 'close other programs, use a smaller or more quantised model, or set a shorter context',
  });

export const gradientUnsupported = (where: string, why: string, stillWork: readonly string[]) =>
  new LoupeError({
    code: 'E_GRADIENT_UNSUPPORTED',
    kind: 'model',
    what: `no gradient can be taken through ${where}`,
    why,
    action: `use a method that needs none: ${stillWork.join(', ')}`,
    details: { where, stillWork },
  });

export const gradientMemory = (neededBytes: number, limitBytes: number, why: string) =>
  new LoupeError({
    code: 'E_GRADIENT_MEMORY',
    kind: 'engine',
    what: `the gradient needs ${megabytes(neededBytes)} MB beside the model, and ${megabytes(limitBytes)} MB are allowed`,
    why,
    action: 'shorten the prompt, raise the memory limit for gradients, or use a method that needs no gradient (occlusion)',
    details: { neededBytes, limitBytes },
  });

export const gradientTarget = (what: string, why: string, action: string) =>
  new LoupeError({ code: 'E_GRADIENT_TARGET', kind: 'input', what, why, action });

export const modelNotLoaded = () =>
  new LoupeError({
    code: 'E_MODEL_NOT_LOADED',
    kind: 'model',
    what: 'no model is loaded',
    why: 'none was chosen, or the last one could not be opened',
    action: 'pick a model in the Models view, or name one with --model',
  });

export const modelNotFound = (file: string) =>
  new LoupeError({
    code: 'E_MODEL_NOT_FOUND',
    kind: 'model',
    what: `there is no model file at ${file}`,
    why: 'it was moved, renamed or never downloaded',
    action: 'pick a model in the Models view, or name another with --model',
    details: { file },
  });

export const modelUnreadable = (file: string, why: string) =>
  new LoupeError({
    code: 'E_MODEL_UNREADABLE',
    kind: 'model',
    what: `the model file ${file} cannot be read`,
    why,
    action: 'check the path and its permissions, or pick another model',
    details: { file },
  });

export const modelUnsupported = (file: string, why: string) =>
  new LoupeError({
    code: 'E_MODEL_UNSUPPORTED',
    kind: 'model',
    what: `${file} is not a model this version can open`,
    why,
    action: 'pick a GGUF file of a text-generating model',
    details: { file },
  });

export const runtimeMissing = (platform: string, why: string) =>
  new LoupeError({
    code: 'E_RUNTIME_MISSING',
    kind: 'engine',
    what: `the llama.cpp libraries for ${platform} were not found`,
    why,
    action: 'reinstall the extension for your system, or run `npm ci` again without omitting optional packages',
    details: { platform },
  });

export const runtimeMismatch = (difference: string) =>
  new LoupeError({
    code: 'E_RUNTIME_MISMATCH',
    kind: 'engine',
    what: 'the llama.cpp libraries are not the version this program was built for',
    why: difference,
    action: 'reinstall the extension, or run `npm ci` again, so that the pinned libraries come back',
  });

export const runtimeBroken = (why: string) =>
  new LoupeError({
    code: 'E_RUNTIME_BROKEN',
    kind: 'engine',
    what: 'the llama.cpp libraries could not be used on this machine',
    why,
    action: 'reinstall the extension for your system; if it stays, please file an issue with this text',
  });

export const modelDisposed = () =>
  new LoupeError({
    code: 'E_MODEL_DISPOSED',
    kind: 'model',
    what: 'this model was unloaded',
    why: 'another model was chosen, or the engine is stopping',
    action: 'load it again',
  });

export const siteUnknown = (site: string, why: string, known: readonly string[]) =>
  new LoupeError({
    code: 'E_SITE_UNKNOWN',
    kind: 'input',
    what: `"${site}" is not a site that can be used here`,
    why,
    action: `choose one of: ${known.join(', ')}`,
    details: { site, known },
  });

export const layerRange = (site: string, layers: number) =>
  new LoupeError({
    code: 'E_LAYER_RANGE',
    kind: 'input',
    what: `${site} names a layer this model does not have`,
    why: `it has ${layers} layers, counted from 0`,
    action: layers === 1 ? 'use layer 0' : `use a layer from 0 to ${layers - 1}`,
    details: { site, layers },
  });

export const headRange = (site: string, head: number, heads: number) =>
  new LoupeError({
    code: 'E_HEAD_RANGE',
    kind: 'input',
    what: `${site} has no head ${head}`,
    why: `it has ${heads} heads, counted from 0`,
    action: `use a head from 0 to ${heads - 1}`,
    details: { site, head, heads },
  });

export const tokenRange = (what: string, why: string) =>
  new LoupeError({
    code: 'E_TOKEN_RANGE',
    kind: 'input',
    what,
    why,
    action: 'use token ids of this model and positions inside the prompt',
  });

export const usage = (what: string, action: string) =>
  new LoupeError({ code: 'E_USAGE', kind: 'usage', what, why: 'the command line was not understood', action });

export const promptNotFound = (file: string) =>
  new LoupeError({
    code: 'E_PROMPT_NOT_FOUND',
    kind: 'input',
    what: `there is no prompt file ${file}`,
    why: 'nothing exists at this path',
    action: 'check the path, or give - to read standard input',
  });

export const promptUnreadable = (file: string, why: string) =>
  new LoupeError({
    code: 'E_PROMPT_UNREADABLE',
    kind: 'input',
    what: `the prompt ${file} cannot be read`,
    why,
    action: 'give the path of a text file you may read',
  });

export const promptNotText = (file: string, why: string) =>
  new LoupeError({
    code: 'E_PROMPT_NOT_TEXT',
    kind: 'input',
    what: `${file} is not a text file`,
    why,
    action: 'save the prompt as UTF-8 text',
  });

export const promptTooLarge = (file: string, limitBytes: number) =>
  new LoupeError({
    code: 'E_PROMPT_TOO_LARGE',
    kind: 'input',
    what: `the prompt ${file} has more than ${limitBytes} bytes`,
    why: 'no model context holds that much text',
    action: 'shorten the prompt',
  });

export const targetInvalid = (target: string, why: string) =>
  new LoupeError({
    code: 'E_TARGET_INVALID',
    kind: 'input',
    what: `the target "${target}" cannot be explained`,
    why,
    action: 'use next, response, span:FIRST-LAST, text:TEXT, id:NUMBER, contrast:A|B, entropy or kl:OTHER PROMPT',
  });

export const outputUnwritable = (file: string, why: string) =>
  new LoupeError({
    code: 'E_OUTPUT_UNWRITABLE',
    kind: 'input',
    what: `${file} cannot be written`,
    why,
    action: 'give the path of a file in a folder you may write to',
  });

export const diskFull = (file: string) =>
  new LoupeError({
    code: 'E_DISK_FULL',
    kind: 'input',
    what: `${file} was not written`,
    why: 'the disk is full',
    action: 'free some space and run it again; an older file of this name is unchanged',
  });

export const numeric = (where: string) =>
  new LoupeError({
    code: 'E_NUMERIC',
    kind: 'model',
    what: `${where} is not a finite number`,
    why: 'the model computed a NaN or an infinity',
    action: 'check the model file against its publisher’s checksum, or try another quantisation',
  });

export const modelIsDirectory = (file: string) =>
  new LoupeError({
    code: 'E_MODEL_IS_DIRECTORY',
    kind: 'model',
    what: `${file} is a folder`,
    why: 'a model is one GGUF file',
    action: 'name the .gguf file inside it',
    details: { file },
  });

export const modelEmpty = (file: string) =>
  new LoupeError({
    code: 'E_MODEL_EMPTY',
    kind: 'model',
    what: `the model file ${file} is empty`,
    why: 'a download or a copy stopped before its first byte, or the file was never written',
    action: 'download or copy it again',
    details: { file },
  });

export const modelTruncated = (file: string, neededBytes: number, fileBytes: number) =>
  new LoupeError({
    code: 'E_MODEL_TRUNCATED',
    kind: 'model',
    what: `the model file ${file} ends too early`,
    why: `it needs at least ${neededBytes} bytes and has ${fileBytes}; a download or a copy probably stopped`,
    action: 'download or copy it again',
    details: { file, neededBytes, fileBytes },
  });

/** `magic`: the first bytes of the file, one character a byte. */
export const modelMagic = (file: string, magic: string) =>
  new LoupeError({
    code: 'E_MODEL_MAGIC',
    kind: 'model',
    what: `${file} is not a GGUF file`,
    why: `it starts with the bytes ${[...magic].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join(' ')} instead of 47 47 55 46 (“GGUF”)`,
    action: 'pick a .gguf file; other formats must be converted first',
    details: { file },
  });

export const modelCorrupt = (file: string, why: string) =>
  new LoupeError({
    code: 'E_MODEL_CORRUPT',
    kind: 'model',
    what: `the model file ${file} is damaged or not a valid GGUF file`,
    why,
    action: 'download it again and compare its checksum with the publisher’s, or pick another model',
    details: { file },
  });

export const modelSplit = (file: string, why: string) =>
  new LoupeError({
    code: 'E_MODEL_SPLIT',
    kind: 'model',
    what: `${file} is one part of a model split over several files`,
    why,
    action: 'put all parts into one folder and name the first one (…-00001-of-….gguf)',
    details: { file },
  });

export const methodUnknown = (method: string, known: readonly string[]) =>
  new LoupeError({
    code: 'E_METHOD_UNKNOWN',
    kind: 'input',
    what: `there is no method "${method}"`,
    why: 'its name is not in the list of attribution methods',
    action: `choose one of: ${known.join(', ')}`,
    details: { method, known },
  });

/** A method that runs only after the user agreed to its conditions. */
export const methodOptIn = (method: string, condition: string) =>
  new LoupeError({
    code: 'E_METHOD_OPT_IN',
    kind: 'input',
    what: `the method "${method}" was not allowed to run`,
    why: condition,
    action: `agree with --agree ${method}, or with the setting promptLoupe.agreedMethods; or use another method`,
    details: { method },
  });

export const tooManyUnits = (method: string, units: number, limit: number) =>
  new LoupeError({
    code: 'E_TOO_MANY_UNITS',
    kind: 'input',
    what: `the method "${method}" takes at most ${limit} units, and the prompt has ${units}`,
    why: 'it evaluates every combination of them, and each unit more doubles their number',
    action:
      'use coarser units (sentences or sections), or a method that samples: kernel-shap, permutation-shapley or partition-shapley',
    details: { method, units, limit },
  });

/** A parameter the method does not have, or a value it does not take. */
export const parameterInvalid = (method: string, parameter: string, why: string, action: string) =>
  new LoupeError({
    code: 'E_PARAMETER',
    kind: 'input',
    what: `the method "${method}" cannot take the parameter "${parameter}"`,
    why,
    action,
    details: { method, parameter },
  });

export const targetEmpty = (target: string, why: string, action: string) =>
  new LoupeError({ code: 'E_TARGET_EMPTY', kind: 'input', what: `${target} holds no token`, why, action });

export const targetRange = (what: string, why: string, action: string) =>
  new LoupeError({ code: 'E_TARGET_RANGE', kind: 'input', what, why, action });

export const targetContrast = (a: string, b: string) =>
  new LoupeError({
    code: 'E_TARGET_CONTRAST',
    kind: 'input',
    what: `${JSON.stringify(a)} and ${JSON.stringify(b)} cannot be contrasted`,
    why: 'both begin with the same token, so their difference is always zero',
    action: 'give two texts that begin differently; a leading space counts',
    details: { a, b },
  });

export const documentClosed = (name: string) =>
  new LoupeError({
    code: 'E_DOCUMENT_CLOSED',
    kind: 'input',
    what: `the explanation of ${name} was dropped`,
    why: 'the document was closed before it arrived',
    action: 'open the document and explain it again',
    details: { name },
  });

export const promptEmpty = () =>
  new LoupeError({
    code: 'E_PROMPT_EMPTY',
    kind: 'input',
    what: 'the prompt is empty',
    why: 'a model needs at least one token to read',
    action: 'write a prompt, or select some text',
  });

export const promptBlank = () =>
  new LoupeError({
    code: 'E_PROMPT_BLANK',
    kind: 'input',
    what: 'the prompt holds nothing but white space',
    why: 'there is no word to explain',
    action: 'write a prompt, or select some text',
  });

export const promptBinary = (offset: number) =>
  new LoupeError({
    code: 'E_PROMPT_BINARY',
    kind: 'input',
    what: 'the prompt looks like binary data',
    why: `a control character that no text file holds stands at offset ${offset}`,
    action: 'open a text file, saved as UTF-8',
    details: { offset },
  });

export const promptInvalid = (offset: number) =>
  new LoupeError({
    code: 'E_PROMPT_INVALID',
    kind: 'input',
    what: 'the prompt is not valid Unicode',
    why: `half a surrogate pair stands alone at offset ${offset}`,
    action: 'remove or retype this character; if you selected text, select whole characters',
    details: { offset },
  });

export const promptTooLong = (limit: number) =>
  new LoupeError({
    code: 'E_PROMPT_TOO_LONG',
    kind: 'input',
    what: `the prompt grows beyond ${limit} characters`,
    why: 'no model context holds that much text',
    action: 'shorten the prompt or the values of its variables, or select a part of it',
    details: { limit },
  });

export const promptYaml = (line: number, column: number, why: string) =>
  new LoupeError({
    code: 'E_PROMPT_YAML',
    kind: 'input',
    what: `the prompt is not valid YAML at line ${line}, column ${column}`,
    why,
    action: 'correct the document at this place',
    details: { line, column },
  });

export const promptJson = (line: number, column: number, why: string) =>
  new LoupeError({
    code: 'E_PROMPT_JSON',
    kind: 'input',
    what: `the prompt is not valid JSON at line ${line}, column ${column}`,
    why,
    action: 'correct the document at this place',
    details: { line, column },
  });

export const promptShape = (why: string, details: Readonly<Record<string, unknown>>) =>
  new LoupeError({
    code: 'E_PROMPT_SHAPE',
    kind: 'input',
    what: 'the document is not a prompt in the shape its format asks for',
    why,
    action: 'see docs/prompts.md for the shape, or save the prompt as .md or .txt',
    details,
  });

export const variableMissing = (names: readonly string[]) =>
  new LoupeError({
    code: 'E_VARIABLE_MISSING',
    kind: 'input',
    what: `the prompt has no value for ${names.map((name) => `{{${name}}}`).join(', ')}`,
    why: 'neither the first row of testData nor the caller gives one',
    action: 'add the value to testData, or enter it when asked',
    details: { names },
  });

export const templateMissing = (model = 'this model') =>
  new LoupeError({
    code: 'E_TEMPLATE_MISSING',
    kind: 'model',
    what: `${model} has no chat template`,
    why: 'it was not trained for conversations, or its file leaves the template out',
    action: 'use raw mode, or choose an instruction-tuned model',
  });

export const templateFailed = (why: string) =>
  new LoupeError({
    code: 'E_TEMPLATE',
    kind: 'model',
    what: "the model's chat template failed",
    why,
    action: 'check the roles and their order if the reason names them; otherwise use raw mode or another model',
  });

export const vocabularyIncomplete = (byte: number) =>
  new LoupeError({
    code: 'E_VOCABULARY_INCOMPLETE',
    kind: 'model',
    what: 'the model cannot read this prompt',
    why: `its vocabulary has no token for the byte 0x${byte.toString(16).padStart(2, '0')}, which the prompt contains`,
    action: 'remove unusual characters from the prompt, or use a complete model file',
    details: { byte },
  });

export const patchShape = (site: string, expected: number, found: number) =>
  new LoupeError({
    code: 'E_PATCH_SHAPE',
    kind: 'input',
    what: `the values for ${site} do not fit`,
    why: `the selected part has ${expected} numbers, ${found} were given`,
    action: 'give one number for each position, head and dimension selected, in the order of the site’s axes',
    details: { site, expected, found },
  });

function megabytes(bytes: number): string {
  return Math.ceil(bytes / 1e6).toLocaleString('en-US');
}
