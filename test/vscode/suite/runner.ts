/** A list of named checks and a report; the extension host has no test framework of its own. */

export interface Check {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** How long one check may take, model included, on a slow and busy machine. */
const checkMilliseconds = 180_000;

/** Runs the checks one after another. Throws when one failed, which is what the editor reports as a failed run. */
export async function runChecks(checks: readonly Check[]): Promise<void> {
  const failures: string[] = [];
  for (const { name, run } of checks) {
    try {
      await withDeadline(run(), checkMilliseconds, name);
      console.log(`ok   ${name}`);
    } catch (error) {
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
      console.log(`FAIL ${name}\n     ${why}`);
      failures.push(name);
    }
  }
  console.log(`${checks.length - failures.length} passed, ${failures.length} failed`);
  if (failures.length > 0) throw new Error(`failed: ${failures.join('; ')}`);
}

/** Rejects when the promise takes longer; nothing is left behind. */
export async function withDeadline<Result>(promise: Promise<Result>, milliseconds: number, what: string): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
