// `npm test`: everything a change must pass, in the order that fails soonest. Stops at the first step that fails.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const steps = ['build', 'check', 'test:unit', 'test:editor', 'test:package'];
const totals = { passed: 0, failed: 0, skipped: 0 };

for (const step of steps) {
  const report = path.join(tmpdir(), `prompt-loupe-${process.pid}-${step.replace(':', '-')}.json`);
  const more = step.startsWith('test:') ? ['--', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`] : [];
  console.log(`\n— npm run ${step}`);
  const { status } = spawnSync('npm', ['run', '--silent', step, ...more], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (more.length > 0) count(report);
  if (status !== 0) {
    console.error(`npm run ${step} failed`);
    finish(1);
  }
}
finish(0);

function count(report) {
  try {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, 'utf8'));
    totals.passed += numPassedTests;
    totals.failed += numFailedTests;
    totals.skipped += numPendingTests;
    rmSync(report);
  } catch {
    // a run that ended before its report; its exit code tells
  }
}

function finish(code) {
  console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  process.exit(code);
}
