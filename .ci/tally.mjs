// Adds up what vitest reported, and the gates that failed beside it: tally.mjs <folder of reports> [failed gate…].
// A report is named for its gate. What failed is named with why, at the end, where whoever reads the end alone finds it.
// The last line is the result; the exit code is 1 when anything failed or nothing ran.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const [folder = '.', ...failedGates] = process.argv.slice(2);

/** As much of a failure as tells what it was. */
const REASON = 1_500;

/** A run that was ended has written no report, or half of one. */
function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const broken = { name: path, status: 'failed', message: error.message, assertionResults: [] };
    return { testResults: [broken], numPassedTests: 0, numPendingTests: 0, numTodoTests: 0 };
  }
}

/** What failed in a file; the file itself when it could not be loaded, or one of its hooks failed. */
function failuresOf({ name, status, message, assertionResults }) {
  const place = relative(process.cwd(), name);
  const failed = assertionResults.filter((test) => test.status === 'failed');
  if (status === 'failed' && failed.length === 0) return [{ title: place, reason: message }];
  return failed.map((test) => ({ title: `${place} > ${test.fullName}`, reason: test.failureMessages.join('\n') }));
}

const counts = new Map();
for (const file of readdirSync(folder).sort()) {
  const gate = basename(file, '.json');
  const report = readReport(join(folder, file));
  const failures = report.testResults.flatMap(failuresOf);
  for (const { title, reason } of failures) {
    console.log(`failed: ${title}\n${stripVTControlCharacters(reason).slice(0, REASON)}`);
  }
  const [passed, failed] = [report.numPassedTests, failures.length];
  const skipped = report.numPendingTests + report.numTodoTests;
  counts.set(gate, { passed, failed, skipped });
  console.log(`${gate}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
}

for (const gate of failedGates) console.log(`failed gate: ${gate}`);

// A gate of tests is counted by its failed tests; any other failure counts as one.
const silent = failedGates.filter((gate) => !counts.get(gate)?.failed).length;
const sum = (what) => [...counts.values()].reduce((total, count) => total + count[what], 0);
const failed = sum('failed') + silent;
process.exitCode = failed > 0 || sum('passed') === 0 ? 1 : 0;
console.log(`${sum('passed')} passed, ${failed} failed${sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : ''}`);
