import { setTimeout } from 'node:timers/promises';
import { type Abi, createWalletClient, http, publicActions } from 'viem';
import testToken from './chain/contracts/TestToken.json' with { type: 'json' };
import { demoAccount } from './chain/providers/devAccounts.ts';
import type { Context, Resources } from './context.ts';
import type { ChainSetting } from './environment.ts';
import { createContext } from './gateway/context.ts';
import type { DemoWallet } from './gateway/playground.ts';
import { openSession } from './identity/commands/openSession.ts';
import { signOut } from './identity/commands/signOut.ts';
import { signUp } from './identity/commands/signUp.ts';
import { EOA_ISSUER, type ProvedWallet, provedWallet } from './identity/model.ts';
import { newId } from './kernel/ids.ts';
import type { Role } from './kernel/permissions.ts';
import type { Viewer } from './kernel/viewer.ts';
import { createPaymentLink } from './payments/commands/createPaymentLink.ts';
import { createPaymentOrder } from './payments/commands/createPaymentOrder.ts';
import { paymentRequest } from './payments/model/paymentRequest.ts';
import { inviteMember } from './tenancy/commands/inviteMember.ts';
import { takeInvitation } from './tenancy/commands/takeInvitation.ts';

/** A person of the demo, with a publicly known wallet of the local chain. */
interface DemoPerson {
  readonly name: string;
  readonly index: 0 | 1 | 2 | 3;
  readonly part: string;
}

/** Who is in the demo. */
const DEMO_PEOPLE: readonly DemoPerson[] = [
  { name: 'Alice', index: 0, part: 'owner of Aurora Coffee' },
  { name: 'Bob', index: 1, part: 'owner of Borealis Books' },
  { name: 'Carol', index: 2, part: 'admin of Aurora Coffee' },
  { name: 'Dave', index: 3, part: 'member of Borealis Books, and the payer' },
];

const HOUSES = {
  Alice: { name: 'Aurora Coffee', slug: 'aurora-coffee', joins: [{ name: 'Carol', role: 'ADMIN' }] },
  Bob: { name: 'Borealis Books', slug: 'borealis-books', joins: [{ name: 'Dave', role: 'MEMBER' }] },
} as const;

const LINKS = {
  Alice: [
    { title: 'Flat white', description: 'A double shot and silk.', amounts: { TUSD: '4.5' } },
    { title: 'A kilo of beans', description: 'Roasted on Tuesdays.', amounts: { TUSD: '28', ETH: '0.01' } },
  ],
  Bob: [{ title: 'The Northern Lights, hardback', description: 'Signed.', amounts: { TUSD: '34.9' } }],
} as const;

const SEEDER = { address: '127.0.0.1', limitKey: '127.0.0.1', userAgent: 'tollhouse demo', origin: null };

/** Whether one of the demo's wallets, whose keys everybody knows, is somebody here. */
export async function hasDemoAccount(resources: Pick<Resources, 'database'>): Promise<boolean> {
  const known = await Promise.all(DEMO_PEOPLE.map(({ index }) => findUser(resources, addressOf(index))));
  return known.some((userId) => userId !== null);
}

/** Makes those of the demo's people, organizations and memberships that are not there. */
export async function seedPeople(resources: Resources): Promise<void> {
  const userIds = new Map<string, string>();
  for (const { name, index } of DEMO_PEOPLE) {
    const address = addressOf(index);
    userIds.set(name, (await findUser(resources, address)) ?? (await seedPerson(resources, name, address)));
  }
  for (const [owner, { joins }] of Object.entries(HOUSES)) {
    await asPerson(resources, owner, async (context) => {
      for (const { name, role } of joins) {
        const userId = userIds.get(name) ?? '';
        if ((await context.scope.db.membership.count({ where: { userId } })) === 0) {
          await join(context, addressOf(personNamed(name).index), role);
        }
      }
    });
  }
}

/** Waits until the chain was read to its head, so that it takes orders; false when that takes longer than seconds. */
export async function waitForChain({ database }: Pick<Resources, 'database'>, chain: ChainSetting): Promise<boolean> {
  const scope = database.as({ kind: 'public', requestId: 'demo' });
  for (let attempt = 0; attempt < 400; attempt += 1) {
    const where = { chainId: chain.chainId, current: true, NOT: { caughtUpAt: null } };
    if ((await scope.db.chainIncarnation.count({ where })) > 0) return true;
    await setTimeout(50);
  }
  return false;
}

interface DemoLink {
  readonly owner: string;
  readonly title: string;
  readonly description: string;
  /** What it costs, by the symbols of assets. */
  readonly amounts: Readonly<Record<string, string>>;
}

const SHOWN = { slug: true, status: true } as const;

/**
 * Makes those of the demo's links that are not there, and has Dave pay for one; the worker must run. Answers where a
 * newcomer can pay for something with the chain's own coin; null where that link is not offered any more.
 */
export async function seedPayments(resources: Resources, chain: ChainSetting): Promise<string | null> {
  const pages: string[] = [];
  for (const [owner, links] of Object.entries(LINKS)) {
    await asPerson(resources, owner, async (context) => {
      for (const { title, description, amounts } of links) {
        const found = await context.scope.db.paymentLink.findFirst({ where: { title }, select: SHOWN });
        const link = found ?? (await makeLink(context, { owner, title, description, amounts }));
        if ('ETH' in amounts && link.status === 'ACTIVE') pages.push(`${resources.publicUrl}/pay/${link.slug}`);
        if (found || title !== LINKS.Alice[0].title) continue;
        const token = await orderOf(context, { slug: link.slug, symbol: 'TUSD' });
        await payOrder(context, chain, { token, percent: 100 });
      }
    });
  }
  return pages[0] ?? null;
}

async function makeLink(context: Context, { owner, amounts, title, description }: DemoLink) {
  const { link } = await createPaymentLink(context, {
    title,
    description,
    accepts: await acceptsFor(context, amounts, accountOf(owner)),
    read: (tx, id) => tx.paymentLink.findFirstOrThrow({ where: { id }, select: SHOWN }),
  });
  return link;
}

/** The owner who asks invites somebody, and they accept. */
export async function join(context: Context, address: `0x${string}`, role: Role): Promise<void> {
  const { invitationId } = await inviteMember(context, { address, role, idempotencyKey: null });
  const scope = context.identityScope({ account: { issuer: EOA_ISSUER, subject: address } });
  await takeInvitation(context, { scope, token: null, id: invitationId });
}

/** Makes somebody of the demo, with the organization that they own, if they own one. */
export async function seedPerson(resources: Resources, name: string, address: `0x${string}`): Promise<string> {
  const newcomer = { userId: newId(), organizationId: newId() };
  const context = contextOf(resources, null);
  const wallet = walletOf(resources, address);
  const scope = context.identityScope({ account: wallet, newcomer });
  const house = (HOUSES as Record<string, { name: string; slug: string }>)[name];
  await scope.transaction(async (tx) => {
    await signUp(tx, { userId: newcomer.userId, identityId: newId(), wallet, displayName: name });
    if (!house) return;
    const named = { organizationName: house.name, organizationSlug: house.slug };
    await context.foundOrganization(context, tx, { ...newcomer, ...named, displayName: name });
  });
  return newcomer.userId;
}

/** Does something as a person of the demo, in a session that ends with it. */
export async function asPerson(
  resources: Resources,
  name: string,
  run: (context: Context) => Promise<void>,
): Promise<void> {
  const context = contextOf(resources, null);
  await openSession(context, walletOf(resources, addressOf(personNamed(name).index)), null, null);
  await run(context);
  await signOut(context);
}

function walletOf(resources: Resources, address: `0x${string}`): ProvedWallet {
  const { publicUrl, signInChainIds } = resources;
  return provedWallet({ address, domain: new URL(publicUrl).host, chainId: signInChainIds[0] ?? 1 }, 'EOA');
}

/** Terms in the assets of these symbols, as far as there are such. */
export async function acceptsFor(
  context: Context,
  amounts: Readonly<Record<string, string>>,
  payTo: string,
): Promise<{ asset: string; amount: string; payTo: string }[]> {
  const assets = await context.scope.db.asset.findMany({ where: { symbol: { in: Object.keys(amounts) } } });
  return assets.map(({ caip19, symbol }) => ({ asset: caip19, amount: amounts[symbol] ?? '', payTo }));
}

/** Begins to pay the link as Dave, in the asset of this symbol; answers the order's token. */
export async function orderOf(context: Context, { slug, symbol }: { slug: string; symbol: string }): Promise<string> {
  const { caip19 } = await context.scope.db.asset.findFirstOrThrow({ where: { symbol }, select: { caip19: true } });
  const payer = addressOf(personNamed('Dave').index);
  return (await createPaymentOrder(context, { slug, asset: caip19, payer })).token;
}

/** Has Dave pay so much of an order's due on the local chain, with tokens that are minted for it. */
export async function payOrder(
  context: Context,
  chain: ChainSetting,
  { token, percent }: { readonly token: string; readonly percent: number },
): Promise<void> {
  const dave = demoAccount(3).account;
  const order = await context.handleScope('payment-order', token).db.paymentOrder.findFirstOrThrow({
    select: { dueUnits: true, payTo: true, reference: true, expiresAt: true, asset: { select: { address: true } } },
  });
  const units = (BigInt(order.dueUnits.toFixed()) * BigInt(percent)) / 100n;
  const request = paymentRequest({ ...order, chainId: chain.chainId, token: order.asset.address, units });
  const wallet = createWalletClient({ account: dave, transport: http(chain.rpcUrl), pollingInterval: 50 }).extend(
    publicActions,
  );
  const to = request.to as `0x${string}`;
  // Nobody replaces these; and whoever looks for a replacement may miss the one block that a quiet chain mines.
  if (order.asset.address) {
    const abi = testToken.abi as Abi;
    const args = [dave.address, units];
    const mint = await wallet.writeContract({ chain: null, address: to, abi, functionName: 'mint', args });
    await wallet.waitForTransactionReceipt({ hash: mint, checkReplacement: false });
  }
  const sent = await wallet.sendTransaction({ chain: null, to, value: request.value, data: request.data });
  await wallet.waitForTransactionReceipt({ hash: sent, checkReplacement: false });
}

/** Whom an account proves. */
export async function findUser({ database }: Pick<Resources, 'database'>, address: string): Promise<string | null> {
  const scope = database.as({ kind: 'identity', requestId: 'demo', account: { issuer: EOA_ISSUER, subject: address } });
  const [row] = await scope.db.$queryRaw<[{ userId: string | null }]>`
    /* findUser */
    select current_user_id() as "userId"`;
  return row.userId;
}

function contextOf(resources: Resources, viewer: Viewer | null): Context {
  return createContext(resources, { requestId: `demo-${newId()}`, client: SEEDER, viewer });
}

/** The wallets of the demo's people, with their keys. */
export function demoWallets(): DemoWallet[] {
  return DEMO_PEOPLE.map(({ name, part, index }) => {
    const { address, privateKey } = demoAccount(index);
    return { name, part, address, privateKey };
  });
}

/** The account of a person of the demo. */
export function accountOf(name: string): `0x${string}` {
  return addressOf(personNamed(name).index);
}

function personNamed(name: string): DemoPerson {
  const person = DEMO_PEOPLE.find((one) => one.name === name);
  if (!person) throw new Error(`There is nobody called ${name} in the demo.`);
  return person;
}

function addressOf(index: DemoPerson['index']): `0x${string}` {
  return demoAccount(index).address.toLowerCase() as `0x${string}`;
}
