// Adds up what vitest reported, and the gates that failed beside it: tally.mjs <folder of reports> [failed gate…].
// A report is named for its gate. The last line is the result; the exit code is 1 when anything failed or nothing ran.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const [folder = '.', ...failedGates] = process.argv.slice(2);

const counts = new Map();
for (const file of readdirSync(folder).sort()) {
  const report = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  // A file that could not even be loaded has no test of its own to count.
  const broken = report.testResults.filter((one) => one.status === 'failed' && one.assertionResults.length === 0);
  const passed = report.numPassedTests;
  const failed = report.numFailedTests + broken.length;
  const skipped = report.numPendingTests + report.numTodoTests;
  counts.set(basename(file, '.json'), { passed, failed, skipped });
  console.log(`${basename(file, '.json')}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
}

for (const gate of failedGates) console.log(`failed gate: ${gate}`);

// A gate of tests is counted by its failed tests; any other failure counts as one.
const silent = failedGates.filter((gate) => !counts.get(gate)?.failed).length;
const sum = (what) => [...counts.values()].reduce((total, count) => total + count[what], 0);
const failed = sum('failed') + silent;
process.exitCode = failed > 0 || sum('passed') === 0 ? 1 : 0;
console.log(`${sum('passed')} passed, ${failed} failed${sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : ''}`);
