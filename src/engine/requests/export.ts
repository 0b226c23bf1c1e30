import { writeAtomically } from '../../analysis/atomicFile.ts';
import { exportText } from '../../analysis/export/exportText.ts';
import { parseExplanation } from '../../shared/explanation.ts';
import type { ExportRequest, ExportResult } from '../../shared/protocol/engine.ts';

/**
 * Writes an explanation as a file of its own, whole or not at all. Needs no model.
 * @throws E_EXPLANATION_VERSION, E_EXPLANATION_INVALID, E_DISK_FULL, E_OUTPUT_UNWRITABLE
 */
export async function exportExplanation({ explanation, format, out }: ExportRequest): Promise<ExportResult> {
  const text = exportText(parseExplanation(explanation), format);
  const bytes = await writeAtomically(out, (append) => append(new TextEncoder().encode(text)));
  return { out, bytes };
}
