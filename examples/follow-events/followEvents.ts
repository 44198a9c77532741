import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';

const gateway = process.argv[2] ?? 'http://localhost:4000/graphql';
const headers = new Headers({ 'content-type': 'application/json' });
process.once('uncaughtException', ({ message }) => {
  console.error(`Failed at ${gateway}: ${message}`);
  process.exit(1);
});

// biome-ignore lint/suspicious/noExplicitAny: the example has no generated types, as a first try has none
type Data = any;

function dataOf(text: string): Data {
  const { data, errors } = JSON.parse(text);
  if (errors) throw new Error(`${errors[0].extensions.code}: ${errors[0].message}`);
  return data;
}

async function ask(query: string, variables = {}): Promise<Data> {
  const response = await fetch(gateway, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  return dataOf(await response.text());
}

/** Each answer of a subscription, until the gateway says that it is complete; whoever leaves the loop closes it. */
async function* subscribe(query: string, variables: object): AsyncGenerator<Data> {
  const leaving = new AbortController();
  const response = await fetch(gateway, {
    method: 'POST',
    headers: { ...Object.fromEntries(headers), accept: 'text/event-stream' },
    body: JSON.stringify({ query, variables }),
    signal: leaving.signal,
  });
  try {
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream() as never) ?? []) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const event = text.slice(0, end);
        text = text.slice(end + 2);
        if (/^event: complete/m.test(event)) return;
        // a line that begins with a colon is a comment, which keeps the connection alive
        const [, data] = /^data: ?(.+)$/m.exec(event) ?? [];
        if (data) yield dataOf(data);
      }
    }
  } finally {
    leaving.abort();
  }
}

// Somebody signs in with a fresh wallet, and so has an organization with a log of its own.
const { address, signMessage } = privateKeyToAccount(generatePrivateKey());
const asked =
  'mutation ($input: CreateSignInChallengeInput!) { createSignInChallenge(input: $input) { challenge { message } } }';
const { message } = (await ask(asked, { input: { address } })).createSignInChallenge.challenge;
const signIn = 'mutation ($input: SignInWithEthereumInput!) { signInWithEthereum(input: $input) { accessToken } }';
const proof = { message, signature: await signMessage({ message }) };
headers.set('authorization', `Bearer ${(await ask(signIn, { input: proof })).signInWithEthereum.accessToken}`);

const rename = (name: string): Promise<Data> =>
  ask('mutation ($name: String!) { updateOrganization(input: { name: $name }) { organization { name } } }', { name });

/** Follows the log from a cursor until a fact of this type has come; answers that one's cursor. */
async function followUntil(type: string, after: string): Promise<string> {
  for await (const { events } of subscribe(
    'subscription ($after: String) { events(after: $after) { cursor node { type } } }',
    { after },
  )) {
    console.log(events.node.type);
    // whoever works on facts keeps the cursor together with what came of them
    if (events.node.type === type) return events.cursor;
  }
  throw new Error('the gateway has closed the stream');
}

// The first page of the log, as soon as nothing can be committed before it any more; from there on it is followed.
async function findFirst(): Promise<Data> {
  const { organization } = await ask('{ organization { events(first: 1) { edges { cursor node { type } } } } }');
  return organization.events.edges[0] ?? new Promise((again) => setTimeout(again, 100)).then(findFirst);
}
const first = await findFirst();
console.log(first.node.type);
setTimeout(() => void rename('Bakery'), 500);
const cursor = await followUntil('organization.updated', first.cursor);

// What happens while nobody listens is not lost: the next stream begins behind the cursor.
await rename('Corner bakery');
await followUntil('organization.updated', cursor);
