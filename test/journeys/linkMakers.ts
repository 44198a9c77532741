import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Tenant, World } from '../support/tenants.ts';
import type { TestTollhouse } from '../support/tollhouse.ts';

/** A link that somebody asked for once, or with a key as often as it took. */
export interface Wish {
  readonly title: string;
  readonly keyed: boolean;
  readonly organizationId: string;
  /** The global id of the link that was answered. */
  readonly id?: string;
  /** Why there is no answer. */
  readonly code?: string;
}

/** Clients of several tenants that read and make links for as long as they are let. */
export interface LinkMakers {
  /** Everything that was asked for and is over. */
  readonly wishes: readonly Wish[];
  /** How often each failure was answered, by its code and whether it may be tried again. */
  readonly failures: ReadonlyMap<string, number>;
  /** Answers of something else than what was asked for. */
  readonly wrong: readonly string[];
  /** How many links have been answered. */
  made(): number;
  /** How many reads have been answered. */
  read(): number;
  /** Begins nothing new; resolves when the last client has its answer. */
  stop(): Promise<void>;
}

const MAKE = `mutation ($input: CreatePaymentLinkInput!) {
  createPaymentLink(input: $input) { paymentLink { id title createdBy { displayName } } }
}`;

const READ = `{
  viewer { organization { name } }
  organization { name paymentLinks(first: 3) { edges { node { title createdBy { displayName } } } } }
}`;

/** Sets clients to work; what they do is the same for each source of chance. */
export async function setToWork(
  tollhouse: TestTollhouse,
  world: World,
  { clients, random }: { readonly clients: number; readonly random: () => number },
): Promise<LinkMakers> {
  const wishes: Wish[] = [];
  const failures = new Map<string, number>();
  const wrong: string[] = [];
  let reads = 0;
  let over = false;

  /** One request; what was answered, or the code of the failure, which is noted. */
  const ask = async (member: Member, query: string, input?: object): Promise<Asked> => {
    const { data, errors } = await tollhouse.ask(query, input && { input }, { token: member.token });
    const text = JSON.stringify(data);
    const others = world.tenants.filter(({ marker }) => marker !== member.tenant.marker);
    if (others.some(({ marker }) => text.includes(marker))) wrong.push(text);
    const [error] = errors;
    if (!error) return { data };
    const { code, retryable } = error.extensions;
    failures.set(`${code} ${retryable}`, (failures.get(`${code} ${retryable}`) ?? 0) + 1);
    // Whoever fails at once would do nothing but fail.
    await sleep(5 + random() * 20);
    return { code, retryable };
  };
  const read = async (member: Member): Promise<void> => {
    const { data } = await ask(member, READ);
    if (!data) return;
    reads += 1;
    if (JSON.stringify(data).split(member.tenant.marker).length < 8) wrong.push(JSON.stringify(data));
  };
  const make = async (member: Member, keyed: boolean): Promise<void> => {
    const { organizationId, marker, people } = member.tenant;
    const wish = { title: `${marker} ${randomUUID()}`, keyed, organizationId };
    const accepts = [{ asset: world.coin.caip19, amount: '1', payTo: people.OWNER.address }];
    const input = { title: wish.title, accepts, ...(keyed && { idempotencyKey: randomUUID() }) };
    for (;;) {
      const { data, code, retryable } = await ask(member, MAKE, input);
      if (keyed && retryable) continue;
      const made = data as { createPaymentLink: { paymentLink: { id: string } } } | undefined;
      wishes.push({ ...wish, ...(made ? { id: made.createPaymentLink.paymentLink.id } : { code: code ?? '' }) });
      return;
    }
  };

  const members = await Promise.all(world.tenants.map((tenant) => member(tollhouse, tenant)));
  const work = async (mine: Member): Promise<void> => {
    while (!over) {
      const turn = random();
      if (turn < 0.3) await read(mine);
      else await make(mine, turn < 0.65);
    }
  };
  const working = Array.from({ length: clients }, (_, index) => work(members[index % members.length] as Member));
  const done = Promise.all(working);
  return {
    wishes,
    failures,
    wrong,
    made: () => wishes.filter(({ id }) => id !== undefined).length,
    read: () => reads,
    async stop() {
      over = true;
      await done;
    },
  };
}

interface Member {
  readonly tenant: Tenant;
  readonly token: string;
}

interface Asked {
  readonly data?: unknown;
  readonly code?: string;
  readonly retryable?: boolean;
}

async function member({ resources }: TestTollhouse, tenant: Tenant): Promise<Member> {
  const { organizationId, people } = tenant;
  return { tenant, token: (await resources.tokens.issue({ ...people.OWNER, organizationId })).token };
}
