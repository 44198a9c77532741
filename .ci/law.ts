// Holds the tree to the law of dependency (.dependency-cruiser.cjs), and itself to having looked: a checker that
// quietly sees no module passes everything, so every file of src must be among those it saw.
import { readdirSync } from 'node:fs';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import extractDepcruiseOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const roots = [
  'src',
  'test',
  'bench',
  'examples',
  'prisma',
  '.ci',
  'codegen.ts',
  'prisma.config.ts',
  'vitest.config.ts',
];
const present = new Set(readdirSync('.'));

const options = await extractDepcruiseOptions('./.dependency-cruiser.cjs');
const { output } = await cruise(
  roots.filter((root) => present.has(root)),
  options,
  undefined,
  { tsConfig: extractTSConfig('./tsconfig.json') },
);
const { modules, summary } = output as ICruiseResult;

const seen = new Set(modules.map((module) => module.source));
const unseen = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map((file) => `src/${file.replaceAll('\\', '/')}`)
  .filter((file) => /\.tsx?$/.test(file) && !seen.has(file));
const imports = modules.reduce((count, module) => count + module.dependencies.length, 0);

for (const violation of summary.violations) {
  const path = violation.cycle?.map((step) => step.name).join(' → ') ?? violation.to;
  console.error(`${violation.from} → ${path}\n  ${violation.rule.name}${comment(violation.rule.name)}`);
}
for (const file of unseen) console.error(`${file}\n  was not seen: the law says nothing about it`);
if (imports === 0) console.error('No import was seen at all: this check has stopped working.');

console.log(
  `${modules.length} modules, ${imports} imports, ${summary.violations.length} violations, ${unseen.length} unseen`,
);
process.exitCode = summary.violations.length > 0 || unseen.length > 0 || imports === 0 ? 1 : 0;

function comment(name: string): string {
  const rule = summary.ruleSetUsed?.forbidden?.find((candidate) => candidate.name === name);
  return rule?.comment ? `: ${rule.comment}` : '';
}
