import { closeSync, fstatSync, openSync, realpathSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { modelEmpty, modelIsDirectory, modelNotFound, modelUnreadable } from '../../shared/errorCatalog.ts';
import { LoupeError } from '../../shared/errors.ts';
import { onnxCorrupt } from '../../shared/onnxErrors.ts';
import type { OnnxGraph } from '../graph/graph.ts';
import { decodeGraph } from './decodeGraph.ts';
import { ExternalFiles } from './externalFiles.ts';
import { bytesOf, type Field, fields, type Span, text, whole } from './fields.ts';
import { FileWindow } from './fileWindow.ts';
import { linkGraph } from './linkGraph.ts';
import { Source } from './source.ts';

const functionBytes = 64 * 1024 * 1024;

/**
 * Reads the graph of an ONNX file: nodes, names and headers of tensors. Weights are not read; each tells its file and range.
 * The file is taken for hostile: nothing is allocated by what it claims.
 * @throws E_MODEL_NOT_FOUND, E_MODEL_UNREADABLE, E_MODEL_IS_DIRECTORY, E_MODEL_EMPTY, E_ONNX_CORRUPT, E_ONNX_UNSUPPORTED, E_ONNX_EXTERNAL_DATA
 */
export function readGraph(path: string): OnnxGraph {
  const descriptor = open(path);
  try {
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) throw modelIsDirectory(path);
    if (!stat.isFile()) throw modelUnreadable(path, 'it is not a regular file');
    if (stat.size === 0) throw modelEmpty(path);
    const real = realpathSync(path);
    const folder = dirname(real);
    const external = new ExternalFiles(path, dirname(resolve(path)), folder);
    return decodeModel(new Source(path, basename(real), new FileWindow(descriptor, stat.size), external), folder, stat.size);
  } catch (error) {
    if (error instanceof LoupeError) throw error;
    throw modelUnreadable(path, error instanceof Error ? error.message : String(error));
  } finally {
    closeSync(descriptor);
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw modelNotFound(path);
    throw modelUnreadable(path, code ?? String(error));
  }
}

function decodeModel(source: Source, folder: string, size: number): OnnxGraph {
  const fail = (why: string) => onnxCorrupt(source.path, why);
  const opsets = new Map<string, number>();
  const functions: Uint8Array[] = [];
  let irVersion = 0;
  let graphSpan: Span | null = null;
  for (const field of fields(source, { start: 0, end: size })) {
    if (field.number === 1) irVersion = whole(source, field);
    else if (field.number === 7) {
      if (graphSpan !== null) throw fail('it holds two graphs');
      graphSpan = bytesOf(source, field);
    } else if (field.number === 8) addOpset(source, field, opsets);
    else if (field.number === 25) functions.push(functionOf(source, field));
  }
  if (graphSpan === null) throw fail('it holds no graph');
  const graph = decodeGraph(source, graphSpan);
  linkGraph(graph, fail);
  return { ...graph, irVersion, opsets, folder, functions };
}

function addOpset(source: Source, field: Field, opsets: Map<string, number>): void {
  let domain = '';
  let version = 0;
  for (const part of fields(source, bytesOf(source, field))) {
    if (part.number === 1) domain = text(source, part);
    else if (part.number === 2) version = whole(source, part);
  }
  source.spend(1);
  opsets.set(domain === 'ai.onnx' ? '' : domain, version);
}

function functionOf(source: Source, field: Field): Uint8Array {
  const { start, end } = bytesOf(source, field);
  if (end - start > functionBytes) throw source.corrupt(`a local function has ${end - start} bytes`);
  source.spend((end - start) / 16);
  return source.window.copy(start, end - start);
}
