// Writes docs/errors.md from the domains' tables of failures: one anchor a code, which `extensions.docs` points at.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FailureDefinition } from '../src/kernel/errors.ts';

const target = 'docs/errors.md';

/** The tables of failures that a room exports; each carries its `definitions`. */
async function tablesOf(room: string): Promise<[code: string, definition: FailureDefinition][]> {
  const module: Record<string, unknown> = await import(pathToFileURL(room).href);
  return Object.values(module)
    .filter((table) => typeof table === 'object' && table !== null && 'definitions' in table)
    .flatMap((table) => Object.entries((table as { definitions: Record<string, FailureDefinition> }).definitions));
}

function describe([code, { message, remedy, retryable, status }]: [string, FailureDefinition]): string {
  const http = status ? `- **HTTP status** when the whole request fails for this: ${status}\n` : '';
  return `### ${code}

${message}

- **What to do**: ${remedy}
- **Try the same call again**: ${retryable ? 'yes, later' : 'no'}
${http}`;
}

const domains = readdirSync('src').filter((domain) => existsSync(join('src', domain, 'errors.ts')));
const chapters = await Promise.all(
  domains.map(async (domain) => ({ domain, failures: await tablesOf(join('src', domain, 'errors.ts')) })),
);

const homes = new Map<string, string>();
for (const { domain, failures } of chapters) {
  if (failures.length === 0) throw new Error(`src/${domain}/errors.ts exports no table of failures.`);
  for (const [code] of failures) {
    const other = homes.get(code);
    if (other) throw new Error(`${code} is defined twice: in src/${other}/errors.ts and in src/${domain}/errors.ts.`);
    homes.set(code, domain);
  }
}

writeFileSync(
  target,
  `# Errors

Every failed operation is a GraphQL error whose \`extensions\` say what happened: \`code\` (one of these, stable),
\`docs\` (its place on this page), \`retryable\`, and the facts. Anything else that fails on our side is \`INTERNAL\`,
with an id that the operator finds in the log.

<!-- Written by .ci/errors.ts from src/*/errors.ts: change a table there, then run npm run generate. -->

${chapters.map(({ domain, failures }) => `## ${domain}\n\n${failures.map(describe).join('\n')}`).join('\n')}`,
);
console.log(`${homes.size} codes of ${domains.length} domains → ${target}`);
