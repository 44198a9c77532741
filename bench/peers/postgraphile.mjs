// PostGraphile as its own documentation has it run in production: the Amber preset on node:http, nothing added but the
// settings that the policies read. It takes them from a header, and so checks neither a token nor a session.
import { createServer } from 'node:http';

// PostGraphile 5 needs Node 22 for this one function.
Promise.withResolvers ??= function withResolvers() {
  const made = {};
  made.promise = new this((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};

const { postgraphile } = await import('postgraphile');
const { PostGraphileAmberPreset } = await import('postgraphile/presets/amber');
const { makePgService } = await import('postgraphile/adaptors/pg');
const { grafserv } = await import('postgraphile/grafserv/node');

const { databaseUrl, poolSize } = JSON.parse(process.env.BENCH_SYSTEM);

const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [
    makePgService({
      connectionString: databaseUrl,
      schemas: ['public', 'bench'],
      poolConfig: { max: poolSize },
      pgSettings: ({ node }) => JSON.parse(node?.req.headers['x-settings'] ?? '{}'),
      // The login inherits nothing, so what may be used is what the role may that each request becomes.
      pgSettingsForIntrospection: { role: 'tollhouse_member' },
    }),
  ],
  grafserv: { graphqlPath: '/graphql', graphiql: false, watch: false, maskError: (error) => error },
  grafast: { explain: false },
};

const instance = postgraphile(preset);
const server = createServer();
await instance.createServ(grafserv).addTo(server);
await instance.getSchema();
if (process.argv.includes('--print')) {
  const { printSchema } = await import('graphql');
  console.log(printSchema(await instance.getSchema()));
}
server.listen(0, '127.0.0.1', () => process.send?.({ port: server.address().port }));
process.once('disconnect', () => process.exit());
process.once('SIGTERM', () => process.exit());
