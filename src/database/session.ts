import pg from 'pg';

/** Lends one connection of its own to a callback, and ends it whatever happens; never a pooled one. */
export async function withSession<Result>(url: string, run: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'tollhouse',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  });
  // A connection that dies while it is idle would end the process; the next query on it says so too.
  client.on('error', () => {});
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}
