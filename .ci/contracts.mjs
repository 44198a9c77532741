// Recompiles the contracts of the folders below and compares the result with the committed artifacts:
// node .ci/contracts.mjs [--write]. Needs the npm registry once (npm's cache serves it later), so it is not part of the
// default run; run it whenever a contract changes.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOLC = '0.8.37';
// No metadata hash and no cbor: the bytecode depends on the source text's meaning alone, not on paths or comments.
const SETTINGS = {
  optimizer: { enabled: true, runs: 200 },
  evmVersion: 'cancun',
  viaIR: false,
  metadata: { bytecodeHash: 'none', appendCBOR: false },
};

const folders = [
  'src/chain/contracts/',
  'src/identity/contracts/',
  'test/identity/contracts/',
  'test/chain/contracts/',
];
const house = fileURLToPath(new URL('../', import.meta.url));
const write = process.argv.includes('--write');

function loadCompiler(home) {
  writeFileSync(join(home, 'package.json'), '{"private":true}');
  const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', `solc@${SOLC}`];
  execFileSync('npm', install, { cwd: home, stdio: ['ignore', 'ignore', 'inherit'] });
  return createRequire(join(home, 'package.json'))('solc');
}

function compile(solc, folder, file) {
  const name = file.replace(/\.sol$/, '');
  const content = readFileSync(join(folder, file), 'utf8');
  const input = {
    language: 'Solidity',
    sources: { [file]: { content } },
    settings: { ...SETTINGS, outputSelection: { [file]: { [name]: ['abi', 'evm.bytecode.object'] } } },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  if (output.errors?.length) throw new Error(output.errors.map((error) => error.formattedMessage).join('\n'));
  const { abi, evm } = output.contracts[file][name];
  const artifact = {
    contractName: name,
    source: file,
    // The test run, which has no compiler, sees by this that the source was edited and not compiled.
    sourceSha256: createHash('sha256').update(content).digest('hex'),
    license: 'MIT',
    compiler: { name: 'solc', version: solc.version(), settings: SETTINGS },
    abi,
    bytecode: `0x${evm.bytecode.object}`,
  };
  return { path: join(folder, `${name}.json`), text: `${JSON.stringify(artifact, null, 2)}\n` };
}

const home = mkdtempSync(join(tmpdir(), 'tollhouse-solc-'));
// The compiler listens for uncaught errors itself, so the outcome is an exit code, not a throw past it.
let stale = 0;
try {
  const solc = loadCompiler(home);
  const sources = folders.flatMap((folder) =>
    readdirSync(join(house, folder))
      .filter((entry) => entry.endsWith('.sol'))
      .map((file) => ({ folder: join(house, folder), file })),
  );
  for (const { folder, file } of sources) {
    const { path, text } = compile(solc, folder, file);
    if (write) writeFileSync(path, text);
    // Compared as data: the formatter may lay the committed file out in its own way.
    const same = JSON.stringify(JSON.parse(readFileSync(path, 'utf8'))) === JSON.stringify(JSON.parse(text));
    console.log(`${file}: ${write ? 'written' : same ? 'the artifact is what the source compiles to' : 'STALE'}`);
    if (!same) stale += 1;
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
if (stale > 0) {
  console.error('Run `node .ci/contracts.mjs --write` and commit the artifact.');
  process.exitCode = 1;
}
