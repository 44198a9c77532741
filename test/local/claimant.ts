// Claims the folder that each line of standard input names, and says what came of it; keeps what it got until it ends.
import { createInterface } from 'node:readline';
import { claim } from '../../src/local/claim.ts';

console.log('ready');
for await (const folder of createInterface({ input: process.stdin })) {
  try {
    claim(folder);
    console.log('claimed');
  } catch (error) {
    console.log((error as Error).message);
  }
}
