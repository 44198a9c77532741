// npm run conformance -- --url http://localhost:4000/graphql
// Holds a gateway to the cases of signing in and prints a table; ends with 1 when one differs. It signs people up there,
// so it wants SIGN_UP=open; where limits hold it waits for them.
import { parseArgs } from 'node:util';
import { holdToCases, tableOf } from './conformance.ts';

const { values } = parseArgs({ options: { url: { type: 'string' } } });
if (!values.url) {
  console.error('Usage: npm run conformance -- --url http://localhost:4000/graphql');
  process.exit(2);
}
const outcomes = await holdToCases(values.url, (seconds) => console.error(`limited, waiting ${seconds} s …`));
console.log(tableOf(outcomes));
process.exitCode = outcomes.every(({ agrees }) => agrees) ? 0 : 1;
