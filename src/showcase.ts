import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Context, Resources } from './context.ts';
import type { Deed, Transaction } from './database/scope.ts';
import {
  acceptsFor,
  accountOf,
  asPerson,
  findUser,
  join,
  orderOf,
  payOrder,
  seedPayments,
  seedPeople,
  seedPerson,
  waitForChain,
} from './demo.ts';
import type { ChainSetting } from './environment.ts';
import { switchOrganization } from './identity/commands/switchOrganization.ts';
import type { Role } from './kernel/permissions.ts';
import { createPaymentLink } from './payments/commands/createPaymentLink.ts';
import { seedSpecialLinks } from './showcaseLinks.ts';
import { seedMoney } from './showcaseMoney.ts';
import { addDomain } from './tenancy/commands/addDomain.ts';
import { createApiKey } from './tenancy/commands/createApiKey.ts';
import { createOrganization } from './tenancy/commands/createOrganization.ts';
import { createRole } from './tenancy/commands/createRole.ts';
import { inviteMember } from './tenancy/commands/inviteMember.ts';
import { updateMembership } from './tenancy/commands/updateMembership.ts';
import { updateOrganization } from './tenancy/commands/updateOrganization.ts';
import { updateStoreConfiguration } from './tenancy/commands/updateStoreConfiguration.ts';

/** How much there is to be, in all; what is there already counts. */
export interface ShowcaseSizes {
  /** Two are the demo's own. */
  readonly organizations: number;
  /** Beside those of the demo, spread over all organizations. */
  readonly links: number;
  /** Of those links; every other one is paid, where payments can be made. */
  readonly orders: number;
}

/** A payer's part: percents of what is due, one transfer each; none is paid when there are none. */
type Payments = readonly number[];

interface ShownLink {
  readonly title: string;
  readonly description: string;
  readonly amounts: Readonly<Record<string, string>>;
  readonly orderLifetimeMinutes?: number;
  readonly orders: readonly Payments[];
}

const MINUTES_OF_A_MONTH = 43_200;

interface Colleague {
  readonly name: string;
  readonly role: Role;
  readonly customRole?: {
    readonly name: string;
    readonly description: string;
    readonly permissions: readonly string[];
  };
  readonly jobTitle: string;
  readonly department: string;
}

const BOOKKEEPER = {
  name: 'Bookkeeper',
  description: 'Reads what was paid for what, and nothing of the people.',
  permissions: ['payment-links:read', 'payments:read', 'events:read'],
};

/** Who works there besides; nobody has the keys of their wallets. */
const STAFF: Readonly<Record<Owner, readonly Colleague[]>> = {
  Alice: [
    { name: 'Erin', role: 'ADMIN', jobTitle: 'Roaster', department: 'Roastery' },
    { name: 'Frank', role: 'MEMBER', jobTitle: 'Barista', department: 'Counter' },
    { name: 'Grace', role: 'MEMBER', customRole: BOOKKEEPER, jobTitle: 'Bookkeeper', department: 'Office' },
  ],
  Bob: [
    { name: 'Heidi', role: 'OWNER', jobTitle: 'Partner', department: 'Management' },
    { name: 'Ivan', role: 'MEMBER', jobTitle: 'Bookseller', department: 'Shop' },
  ],
};

const WORDS = {
  Alice: {
    about: {
      description: 'Coffee, roasted on Tuesdays, a few steps from the harbour.',
      contactEmail: 'hello@aurora-coffee.example',
      address: 'Quay 3\nTromsø',
      metadata: { founded: 2019, vegan: true },
    },
    store: { theme: { accent: '#0b6e4f', font: 'rounded' }, features: { tips: true } },
    host: 'pay.aurora-coffee.com',
  },
  Bob: {
    about: {
      description: 'Books about the north, new and second hand.',
      contactEmail: 'books@borealis.example',
      address: 'Storgata 12\nBodø',
      metadata: { founded: 1987 },
    },
    store: { theme: { accent: '#27187e', font: 'serif' }, features: { tips: false } },
    host: 'pay.borealis-books.com',
  },
} as const;

/** A key that nobody has: its secret is told to nobody, and kept nowhere. */
const API_KEY = {
  kind: 'INTEGRATION',
  name: 'Bookkeeping',
  description: 'Fetches what was paid, once a night.',
  scopes: ['payment-links:read', 'payments:read', 'events:read'],
  monthlyLimit: 1_000,
} as const;

/** What becomes of them: paid and then final; overpaid; waiting for the rest; waiting for anything; expired, with and without a part. */
const LINKS: Readonly<Record<Owner, readonly ShownLink[]>> = {
  Alice: [
    {
      title: 'Coffee of the month',
      description: 'Half a kilo, wherever you live.',
      amounts: { TUSD: '19', ETH: '0.006' },
      orderLifetimeMinutes: MINUTES_OF_A_MONTH,
      orders: [[100], [60, 40], [150], [50], []],
    },
    { title: 'Tip jar', description: 'Thank you.', amounts: { ETH: '0.001' }, orders: [[100], [100]] },
    {
      title: 'Tasting, today only',
      description: 'One minute to pay.',
      amounts: { TUSD: '12' },
      orderLifetimeMinutes: 1,
      orders: [[], [25]],
    },
  ],
  Bob: [
    {
      title: 'Reading evening',
      description: 'With tea.',
      amounts: { TUSD: '8.5' },
      orderLifetimeMinutes: MINUTES_OF_A_MONTH,
      orders: [[100], [99], []],
    },
    { title: 'Gift card', description: 'For a hundred.', amounts: { TUSD: '100', ETH: '0.03' }, orders: [] },
  ],
};

type Owner = 'Alice' | 'Bob';
const OWNERS: readonly Owner[] = ['Alice', 'Bob'];

/** The longest wait until what was paid is seen and deep enough. */
const LONGEST_WAIT_MS = 30_000;

/**
 * Makes what is missing of the demo, of a livelier one around it, and of as much more as is asked for: everything by the
 * commands that a request would run, so that audit and events come of it. The worker must run.
 * @param options.chain the chain that orders are on; payments are made where it is the local one
 */
export async function seedShowcase(
  resources: Resources,
  options: { readonly chain: ChainSetting | null; readonly sizes: ShowcaseSizes },
): Promise<void> {
  // whoever seeds is one client, and would wait for minutes
  const unlimited = {
    ...resources,
    environment: { ...resources.environment, TOLLHOUSE_UNSAFE_NO_RATE_LIMITS: true },
  };
  const { sizes } = options;
  await seedPeople(unlimited);
  for (const owner of OWNERS) {
    await seedStaff(unlimited, owner);
    await asPerson(unlimited, owner, (context) => seedWords(context, owner));
  }
  const chain = options.chain && (await waitForChain(resources, options.chain)) ? options.chain : null;
  if (chain) {
    await seedPayments(unlimited, chain);
    for (const owner of OWNERS) {
      await asPerson(unlimited, owner, async (context) => {
        for (const link of LINKS[owner]) await seedLink(context, { owner, link, chain });
        if (owner === 'Alice') await seedSpecialLinks(context, owner);
      });
    }
  }
  await seedMore(unlimited, { chain, sizes });
  if (chain) await waitUntilSeen(unlimited);
  if (chain?.chainId === LOCAL_CHAIN_ID) await asPerson(unlimited, 'Alice', (context) => seedMoney(context, chain));
}

async function seedStaff(resources: Resources, owner: Owner): Promise<void> {
  for (const { name, role, customRole, ...words } of STAFF[owner]) {
    const address = walletOf(name);
    const userId = (await findUser(resources, address)) ?? (await seedPerson(resources, name, address));
    await asPerson(resources, owner, async (context) => {
      const where = { userId, organizationId: context.viewer?.organizationId ?? '' };
      if ((await context.scope.db.membership.count({ where })) > 0) return;
      await join(context, address, role);
      const { id } = await context.scope.db.membership.findFirstOrThrow({ where, select: { id: true } });
      const made = customRole && (await createRole(context, { ...customRole, idempotencyKey: null, read: readRole }));
      await updateMembership(context, { id, ...words, ...(made && { roleId: made.role.id }), idempotencyKey: null });
    });
  }
}

const readRole = (tx: Pick<Transaction, 'role'>, id: string): Deed<{ readonly id: string }> =>
  tx.role.findFirstOrThrow({ where: { id }, select: { id: true } });

/** An address that nobody has the key of. */
function walletOf(name: string): `0x${string}` {
  return `0x${createHash('sha256').update(`tollhouse demo ${name}`).digest('hex').slice(0, 40)}`;
}

async function seedWords(context: Context, owner: Owner): Promise<void> {
  const { about, store, host } = WORDS[owner];
  const organizationId = context.viewer?.organizationId ?? '';
  const { description, domains } = await context.scope.db.organization.findUniqueOrThrow({
    where: { id: organizationId },
    select: { description: true, domains: { where: { host }, select: { id: true } } },
  });
  if (description === null) {
    await updateOrganization(context, { ...about, idempotencyKey: null, read: readOrganization });
    await updateStoreConfiguration(context, { ...store, idempotencyKey: null, read: readOrganization });
  }
  if ((await context.scope.db.invitation.count({ where: { organizationId, address: walletOf('Judy') } })) === 0) {
    await inviteMember(context, { address: walletOf('Judy'), role: 'MEMBER', idempotencyKey: null });
  }
  if ((await context.scope.db.apiKey.count({ where: { organizationId, name: API_KEY.name } })) === 0) {
    await createApiKey(context, { ...API_KEY, idempotencyKey: null });
  }
  if (domains.length > 0) return;
  await addDomain(context, {
    host,
    kind: 'SUBDOMAIN',
    idempotencyKey: null,
    read: (tx, id) => tx.organizationDomain.findFirstOrThrow({ where: { id }, select: { id: true } }),
  });
}

/** Makes the link and those of its orders that are not there, and pays the new ones. */
async function seedLink(
  context: Context,
  given: { readonly owner: Owner; readonly link: ShownLink; readonly chain: ChainSetting },
): Promise<void> {
  const { owner, link, chain } = given;
  const { title, description, amounts, orderLifetimeMinutes, orders } = link;
  const organizationId = context.viewer?.organizationId ?? '';
  const known = await context.scope.db.paymentLink.findFirst({
    where: { organizationId, title },
    select: { id: true, slug: true },
  });
  const made = known ?? (await makeLink(context, { title, description, amounts, orderLifetimeMinutes, owner }));
  if (!made) return;
  const { id, slug } = made;
  const there = await context.scope.db.paymentOrder.count({ where: { organizationId, paymentLinkId: id } });
  const [symbol = ''] = Object.keys(amounts).sort().reverse();
  for (const percents of orders.slice(there)) {
    const token = await orderOf(context, { slug, symbol });
    for (const percent of chain.chainId === LOCAL_CHAIN_ID ? percents : []) {
      await payOrder(context, chain, { token, percent });
    }
  }
}

const LOCAL_CHAIN_ID = 31_337;

/** Null where no such asset is taken. */
async function makeLink(
  context: Context,
  input: Omit<ShownLink, 'orders' | 'orderLifetimeMinutes'> & {
    readonly orderLifetimeMinutes: number | undefined;
    readonly owner: Owner;
  },
): Promise<{ readonly id: string; readonly slug: string } | null> {
  const { amounts, owner, ...words } = input;
  const accepts = await acceptsFor(context, amounts, accountOf(owner));
  if (accepts.length === 0) return null;
  const { link } = await createPaymentLink(context, {
    ...words,
    accepts,
    read: (tx, id) => tx.paymentLink.findFirstOrThrow({ where: { id }, select: { id: true, slug: true } }),
  });
  return link;
}

/** As many organizations, links and orders as are asked for; the demo's two organizations are the first ones. */
async function seedMore(
  resources: Resources,
  { chain, sizes }: { readonly chain: ChainSetting | null; readonly sizes: ShowcaseSizes },
): Promise<void> {
  const { organizations, links, orders } = sizes;
  for (let place = 0; place < organizations; place += 1) {
    const owner = OWNERS[place % 2] as Owner;
    await asPerson(resources, owner, async (context) => {
      const inside = place < 2 ? context : await openHouse(context, place);
      if (!chain) return;
      for (let link = place; link < links; link += organizations) {
        const its = Math.floor(orders / links) + (link < orders % links ? 1 : 0);
        await seedLink(inside, {
          owner,
          chain,
          link: {
            title: `Ticket ${link + 1}`,
            description: 'For the long list.',
            amounts: { ETH: `0.0${String((link % 9) + 1)}` },
            orderLifetimeMinutes: MINUTES_OF_A_MONTH,
            orders: Array.from({ length: its }, (_, order): Payments => (order % 2 === 0 ? [100] : [])),
          },
        });
      }
    });
  }
}

/** A further organization of the owner, by its number, and a context that works in it. */
async function openHouse(context: Context, place: number): Promise<Context> {
  const slug = `demo-house-${place + 1}`;
  const known = await context.scope.db.organization.findFirst({ where: { slug }, select: { id: true } });
  const { id } =
    known ??
    (
      await createOrganization(context, {
        name: `Demo house ${place + 1}`,
        slug,
        idempotencyKey: null,
        read: readOrganization,
      })
    ).organization;
  await switchOrganization(context, { organizationId: id });
  return context;
}

function readOrganization(tx: Pick<Transaction, 'organization'>, id: string): Deed<{ id: string }> {
  return tx.organization.findUniqueOrThrow({ where: { id }, select: { id: true } });
}

/** Waits until the worker has seen what was paid: blocks come each second. */
async function waitUntilSeen(resources: Resources): Promise<void> {
  const until = Date.now() + LONGEST_WAIT_MS;
  for (const owner of OWNERS) {
    await asPerson(resources, owner, async ({ scope, viewer }) => {
      const organizationId = viewer?.organizationId ?? '';
      const waiting = { organizationId, status: 'CONFIRMING' } as const;
      await setTimeout(1_500);
      while (Date.now() < until && (await scope.db.paymentOrder.count({ where: waiting })) > 0) await setTimeout(250);
    });
  }
}
