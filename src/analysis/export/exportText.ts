import type { Explanation } from '../../shared/explanation.ts';
import type { ExportFormat } from '../../shared/protocol/engine.ts';
import { explanationToCsv } from './csv.ts';
import { explanationToHtml } from './html.ts';
import { explanationToSvg } from './svg.ts';

const writers: Readonly<Record<ExportFormat, (explanation: Explanation) => string>> = {
  json: (explanation) => `${JSON.stringify(explanation, null, 2)}\n`,
  html: explanationToHtml,
  svg: explanationToSvg,
  csv: explanationToCsv,
};

/** An explanation as the text of a file. */
export function exportText(explanation: Explanation, format: ExportFormat): string {
  return writers[format](explanation);
}
