import { createWalletClient, http, publicActions } from 'viem';
import { demoAccount } from './chain/providers/devAccounts.ts';
import type { Context } from './context.ts';
import { accountOf } from './demo.ts';
import type { ChainSetting } from './environment.ts';
import { recordManualPayment } from './payments/commands/recordManualPayment.ts';
import { requestRefund } from './payments/commands/requestRefund.ts';
import { setRefundDestination } from './payments/commands/setRefundDestination.ts';

/** Some of the coin, which nobody has asked for. */
const A_TIP = 1_000_000_000_000_000n;

/**
 * Makes what is unusual about money, once: a transfer that no order takes, a surplus that is to go back, and a payment in
 * cash. Dave pays, as ever.
 */
export async function seedMoney(context: Context, chain: ChainSetting): Promise<void> {
  const { scope, viewer } = context;
  const organizationId = viewer?.organizationId ?? '';
  if ((await scope.db.paymentRefund.count({ where: { organizationId } })) > 0) return;
  const dave = demoAccount(3).account;
  const overpaid = await scope.db.paymentOrder.findFirst({
    where: { organizationId, status: { in: ['PAID', 'FINAL'] }, exceptions: { has: 'OVERPAID' } },
    select: { id: true },
  });
  const open = await scope.db.paymentOrder.findFirst({
    where: { organizationId, status: 'CREATED', asset: { symbol: 'TUSD' } },
    orderBy: { expiresAt: 'desc' },
    select: { id: true },
  });
  if (!overpaid || !open) return;
  const refund = await requestRefund(context, {
    orderId: overpaid.id,
    amount: '2',
    reason: 'Paid more than was due',
    idempotencyKey: null,
  });
  await setRefundDestination(context, {
    id: refund.id,
    destination: dave.address.toLowerCase(),
    reason: 'Dave said so at the counter',
    idempotencyKey: null,
  });
  await recordManualPayment(context, {
    orderId: open.id,
    amount: '5',
    reference: 'Till 2, receipt 118',
    note: 'The first five in cash.',
    idempotencyKey: null,
  });
  const wallet = createWalletClient({ account: dave, transport: http(chain.rpcUrl), pollingInterval: 50 }).extend(
    publicActions,
  );
  const sent = await wallet.sendTransaction({ chain: null, to: accountOf('Alice'), value: A_TIP });
  await wallet.waitForTransactionReceipt({ hash: sent, checkReplacement: false });
}
