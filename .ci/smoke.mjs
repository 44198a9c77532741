// Starts the installed house in a folder as a newcomer does, twice: smoke.mjs <folder>. Each time it must say where it
// listens, answer a query there, end at an interrupt, and leave no process behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

const [house] = process.argv.slice(2);
if (!house) throw new Error('smoke.mjs <folder>');
const patience = 90_000;

const before = new Set();
for (const pid of [process.pid, ...inhabitants().map((one) => one.pid)]) before.add(pid);

/** What the look finds, or nothing when the process has gone meanwhile. */
function glance(look) {
  try {
    return look();
  } catch {
    return '';
  }
}

/** The processes that work in the folder, or name it in their command line; not those that were there before us. */
function inhabitants() {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && !before.has(Number(pid)))
    .map((pid) => ({
      pid: Number(pid),
      home: glance(() => readlinkSync(`/proc/${pid}/cwd`)),
      line: glance(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' '),
    }))
    .filter(({ home, line }) => home.startsWith(house) || line.includes(house));
}

async function refuseAfter(milliseconds, complaint) {
  await setTimeout(milliseconds, undefined, { ref: false });
  throw new Error(complaint);
}

/** A page can be made without a single development package. */
async function visitPage(url) {
  const page = await (await fetch(url)).text();
  const [, script] = /<script type="module" src="([^"]+)">/.exec(page) ?? [];
  const { status } = await fetch(new URL(script ?? '/none', url));
  if (status !== 200) throw new Error(`the checkout page has no script: ${status} for ${script} of ${page}`);
}

async function visit(round) {
  const begun = Date.now();
  const child = spawn('npm', ['start'], { cwd: house, detached: true, env: { ...process.env, PORT: '0' } });
  const ended = once(child, 'close');
  let said = '';
  const address = new Promise((resolve) => {
    const hear = (chunk) => {
      said += chunk;
      const [found] = /http:\/\/[\w.-]+:\d+\/graphql/.exec(said) ?? [];
      if (found) resolve(found);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
  });
  try {
    const died = ended.then(([code]) => Promise.reject(new Error(`it ended with ${code} before it was ready`)));
    const url = await Promise.race([address, died, refuseAfter(patience, 'it was not ready in time')]);
    died.catch(() => {});
    console.log(`start ${round}: ready at ${url} after ${((Date.now() - begun) / 1000).toFixed(1)} s`);
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query: '{ __typename }' }) });
    const answer = await response.text();
    if (answer !== '{"data":{"__typename":"Query"}}') throw new Error(`it answered ${response.status} ${answer}`);
    await visitPage(new URL('/pay/nothing-of-that-name', url));
    process.kill(-child.pid, 'SIGINT');
    await Promise.race([ended, refuseAfter(patience, 'it did not end in time')]);
    const left = inhabitants();
    if (left.length > 0) throw new Error(`it left behind ${left.map(({ pid, line }) => `${pid} ${line}`).join(', ')}`);
    console.log(`start ${round}: answered, stopped, left nothing behind`);
  } catch (error) {
    console.error(said);
    for (const { pid } of inhabitants()) process.kill(pid, 'SIGKILL');
    throw error;
  }
}

await visit('one');
await visit('two');
