// Adds up what vitest reported, and the gates that failed beside it: tally.mjs <folder of reports> [failed gate…].
// A report is named for its gate. What failed is named with why, at the end, where whoever reads the end alone finds it.
// The last line is the result; the exit code is 1 when anything failed or nothing ran.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const [folder = '.', ...failedGates] = process.argv.slice(2);

/** As much of a failure as tells what it was. */
const REASON = 1_500;

function name(file, title, reason) {
  console.log(
    `failed: ${relative(process.cwd(), file)} > ${title}\n${stripVTControlCharacters(reason).slice(0, REASON)}`,
  );
}

const counts = new Map();
for (const file of readdirSync(folder).sort()) {
  const report = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  // A file that could not even be loaded has no test of its own to count.
  const broken = report.testResults.filter((one) => one.status === 'failed' && one.assertionResults.length === 0);
  for (const one of broken) name(one.name, 'the file itself', one.message);
  for (const one of report.testResults) {
    for (const test of one.assertionResults.filter(({ status }) => status === 'failed')) {
      name(one.name, test.fullName, test.failureMessages.join('\n'));
    }
  }
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
