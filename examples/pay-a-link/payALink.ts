import { setTimeout as sleep } from 'node:timers/promises';
import { createWalletClient, http, parseAbi } from 'viem';
import { generatePrivateKey, mnemonicToAccount, privateKeyToAccount } from 'viem/accounts';
import { anvil } from 'viem/chains';

const gateway = process.argv[2] ?? 'http://localhost:4000/graphql';
const headers = new Headers({ 'content-type': 'application/json' });
const fail = ({ message }: Error): never => {
  console.error(`Failed at ${gateway}: ${message}`);
  process.exit(1);
};
process.once('uncaughtException', fail);
setTimeout(fail, 60_000, new Error('not paid after 60 s')).unref();
async function ask(query: string, variables = {}) {
  const response = await fetch(gateway, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = JSON.parse(await response.text());
  if (errors) throw new Error(`${errors[0].extensions?.code}: ${errors[0].message}`, { cause: errors[0].extensions });
  return data;
}
async function mutate(name: string, input: object, answer: string) {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input!`;
  return (await ask(`mutation ($input: ${type}) { ${name}(input: $input) { ${answer} } }`, { input }))[name];
}

const { chains } = await ask('{ chains { chainId publicRpcUrl assets { caip19 symbol address } } }');
const local = chains.find(({ chainId }: { chainId: number }) => chainId === anvil.id);
const token = local?.assets.find(({ symbol }: { symbol: string }) => symbol === 'TUSD');
if (!token) throw new Error('no local chain (31337) with the token TUSD');

// A merchant signs in with a fresh wallet, is given an organization, and makes a payment link.
const { address, signMessage } = privateKeyToAccount(generatePrivateKey());
const input = { address, chainId: anvil.id };
const { challenge } = await mutate('createSignInChallenge', input, 'challenge { message }');
const { message } = challenge;
const signed = { message, signature: await signMessage({ message }) };
const session = await mutate('signInWithEthereum', signed, 'accessToken viewer { organization { name } }');
console.log(`Signed in as ${address}, organization "${session.viewer.organization.name}"`);
headers.set('authorization', `Bearer ${session.accessToken}`);
const accepts = [{ asset: token.caip19, amount: '12.5', payTo: address }];
const { paymentLink } = await mutate('createPaymentLink', { title: 'Lunch', accepts }, 'paymentLink { slug url }');
console.log(`Payment link ${paymentLink.url}`);

// A payer, who needs no session, makes an order, mints the token (anyone may) and sends what the order asks for.
headers.delete('authorization');
const payer = mnemonicToAccount('test test test test test test test test test test test junk', { addressIndex: 5 });
const wanted = 'checkoutOrder { token due { amount units } paymentRequest { to value data } }';
const { checkoutOrder } = await mutate('createPaymentOrder', { slug: paymentLink.slug, payer: payer.address }, wanted);
const { due, paymentRequest, ...handle } = checkoutOrder;
const wallet = createWalletClient({ account: payer, chain: anvil, transport: http(local.publicRpcUrl) });
const mint = { abi: parseAbi(['function mint(address, uint256)']), functionName: 'mint' } as const;
await wallet.writeContractSync({ ...mint, address: token.address, args: [payer.address, BigInt(due.units)] });
const hash = await wallet.sendTransaction({ ...paymentRequest, value: BigInt(paymentRequest.value) });
console.log(`Paid ${due.amount} TUSD in ${hash}`);

// The order's status until it is paid; a gateway that is being restarted meanwhile is asked again.
const query = 'query ($token: String!) { checkoutOrder(token: $token) { status } }';
for (let status = ''; !/PAID|FINAL/.test(status); await sleep(250)) {
  const answer = await ask(query, handle).catch((e) => e.cause?.retryable === false && fail(e));
  const latest = answer?.checkoutOrder?.status ?? status;
  if (latest !== status) console.log(latest);
  status = latest;
}
