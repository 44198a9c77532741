import { zeroAddress } from 'viem';
import { watchAccounts } from '../../chain/commands/watchAccounts.ts';
import { chainErrors } from '../../chain/errors.ts';
import { storedCaip19 } from '../../chain/model.ts';
import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { appendEvent } from '../../events/commands/appendEvent.ts';
import { sha256 } from '../../kernel/digest.ts';
import { kernelErrors } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { toUnits } from '../../kernel/money.ts';
import { cleanText } from '../../kernel/text.ts';
import { paymentErrors } from '../errors.ts';
import { paymentLinkCreated } from '../events.ts';
import { newSlug } from '../model.ts';

const MAX_ACCEPTS = 20;

/** The terms of a link, as they are asked for. */
export interface PaymentLinkInput {
  readonly title: string;
  readonly description?: string | null | undefined;
  readonly orderLifetimeMinutes?: number | null | undefined;
  readonly accepts: readonly {
    /** A CAIP-19 name. */
    readonly asset: string;
    /** In whole tokens. */
    readonly amount: string;
    readonly payTo: string;
  }[];
}

interface Accept {
  readonly assetId: string;
  readonly chainId: bigint;
  readonly units: bigint;
  readonly payTo: string;
}

/** Makes a link that anybody may pay. Each payee must be a wallet that a member who may write payments has proved. */
export async function createPaymentLink(context: Context, input: PaymentLinkInput): Promise<{ id: string }> {
  const { viewer } = context;
  if (!viewer) throw kernelErrors.UNAUTHENTICATED();
  const { organizationId, userId } = viewer;
  const title = cleanText(input.title, 'title', { max: 200 });
  const description =
    input.description == null ? null : cleanText(input.description, 'description', { max: 2000, multiline: true });
  const lifetime = input.orderLifetimeMinutes ?? 60;
  if (lifetime < 1 || lifetime > 43_200) {
    throw kernelErrors.BAD_USER_INPUT({ field: 'orderLifetimeMinutes', expected: '1 to 43200', actual: lifetime });
  }
  const names = input.accepts.map(({ asset }) => storedCaip19(asset));
  if (names.length < 1 || names.length > MAX_ACCEPTS || new Set(names).size < names.length) {
    throw paymentErrors.ACCEPTS_INVALID({ actual: names.length });
  }

  const id = newId();
  const slug = newSlug();
  await context.scope.transaction(async (tx) => {
    const accepts = await checkAccepts(tx, input, names);
    await tx.paymentLink.createMany({
      data: { organizationId, id, slug, title, description, orderLifetimeMinutes: lifetime, createdById: userId },
    });
    await tx.paymentLinkAccept.createMany({
      data: accepts.map(({ assetId, units, payTo }, position) => ({
        organizationId,
        paymentLinkId: id,
        position,
        assetId,
        units: units.toString(),
        payTo,
      })),
    });
    await tx.handle.createMany({
      data: { kind: 'payment-link', valueHash: sha256(slug), organizationId, targetId: id },
    });
    await watchAccounts(
      tx,
      accepts.map(({ chainId, payTo }) => ({ chainId, address: payTo })),
    );
    await appendEvent(context, tx, paymentLinkCreated({ organizationId, paymentLinkId: id, userId, title }));
  });
  return { id };
}

/** What can be known of the assets and payees: both are asked for in one statement, beside the permission to write. */
async function checkAccepts(tx: Transaction, input: PaymentLinkInput, names: readonly string[]): Promise<Accept[]> {
  const payees = input.accepts.map(({ payTo }) => payTo);
  const found = await tx.$queryRaw<
    {
      assetId: string | null;
      chainId: bigint | null;
      token: string | null;
      decimals: number | null;
      proved: boolean;
      permitted: boolean;
    }[]
  >`
    /* checkAccepts */
    select
      a.id as "assetId",
      a.chain_id as "chainId",
      a.address as token,
      a.decimals,
      is_proved_payee(asked.pay_to) as proved,
      has_permission('payments:write') as permitted
    from unnest(${names}::text[], ${payees}::text[]) with ordinality as asked (caip19, pay_to, place)
    left join assets a on a.caip19 = asked.caip19
    order by asked.place`;
  return found.map(({ assetId, chainId, token, decimals, proved, permitted }, index) => {
    const { asset = '', amount = '', payTo = '' } = input.accepts[index] ?? {};
    if (!permitted) throw kernelErrors.FORBIDDEN({ permission: 'payments:write' });
    if (assetId === null || chainId === null || decimals === null) throw chainErrors.ASSET_UNKNOWN({ asset });
    const units = toUnits(amount, decimals);
    if (typeof units !== 'bigint' || units === 0n) {
      throw paymentErrors.AMOUNT_INVALID({ asset, amount, decimals, reason: units === 0n ? 'ZERO' : String(units) });
    }
    if (payTo === zeroAddress || payTo === token) throw paymentErrors.PAYEE_REFUSED({ payTo });
    if (!proved) throw paymentErrors.PAYEE_NOT_PROVED({ payTo });
    return { assetId, chainId, units, payTo };
  });
}
