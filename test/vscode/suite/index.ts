/** Run by the editor's extension host (`extensionTestsPath`), in code-server here and in desktop VS Code elsewhere. */
import { runChecks } from './runner.ts';
import { suiteChecks } from './checks.ts';
import { activateExtension } from './testEditor.ts';

export async function run(): Promise<void> {
  const api = await activateExtension();
  await runChecks(suiteChecks(api));
}
