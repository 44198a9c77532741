// Starts what its first argument names in the folder of its second, says so in a line of JSON, and stops it when asked
// to: what `npm start` does with its servers, and nothing else.
import { startAnvil, startEphemeralAnvil } from '../../src/chain/providers/anvil.ts';
import { startEmbeddedPostgres, startEphemeralPostgres } from '../../src/database/embedded.ts';
import { claimFolder } from '../../src/local/folder.ts';

const [, , kind, root = ''] = process.argv;
// Its servers do not keep it running; a gateway has its own to wait for.
setInterval(() => {}, 60_000);

const log = { info() {}, warn: console.error, error: console.error };

if (kind === 'ephemeral') {
  const [postgres, chain] = await Promise.all([startEphemeralPostgres(), startEphemeralAnvil()]);
  console.log(JSON.stringify({ postgres: postgres.adminUrl, chain: chain.url }));
} else {
  const folder = await claimFolder(root, log);
  const [postgres, chain] = await Promise.all([startEmbeddedPostgres({ folder, log }), startAnvil({ folder, log })]);
  await folder.announce('http://127.0.0.1:1234');
  let endings = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, async () => {
      endings += 1;
      if (endings > 1) return;
      await chain?.stop();
      await postgres.stop();
      await folder.release();
      console.log('stopped');
      process.exit(0);
    });
  }
  console.log(JSON.stringify({ postgres: postgres.url, chain: chain?.url }));
}
