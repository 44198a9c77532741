// Adds up what vitest reported, and the gates that failed beside it: tally.mjs <folder of reports> [failed gate…].
// The last line is the result; the exit code is 1 when anything failed or nothing ran.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder = '.', ...failedGates] = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };

for (const file of readdirSync(folder).sort()) {
  const report = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  // A file that could not even be loaded has no test of its own to count.
  const broken = report.testResults.filter(
    (one) => one.status === 'failed' && one.assertionResults.length === 0,
  ).length;
  const passed = report.numPassedTests;
  const failed = report.numFailedTests + broken;
  const skipped = report.numPendingTests + report.numTodoTests;
  console.log(`${file.replace('.json', '')}: ${passed} of ${passed + failed + skipped} tests passed`);
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
}

// A gate of tests fails with its tests, which are counted already; it counts itself only when they do not say why.
const silent = failedGates.filter((gate) => !(gate.startsWith('tests') && total.failed > 0));
for (const gate of failedGates) console.log(`failed gate: ${gate}`);
total.failed += silent.length;

process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
