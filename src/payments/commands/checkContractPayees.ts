import { chainErrors } from '../../chain/errors.ts';
import type { Context } from '../../context.ts';
import { raisedFact } from '../../database/errors.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { showAddress } from '../../kernel/address.ts';
import { paymentErrors } from '../errors.ts';
import type { Accept } from './readPrices.ts';

/** Raised by `refuse_contract_payees`, with the contracts in its last word. */
const ARE_CONTRACTS = 'TH476';

/**
 * Does a deed that pays to these accounts, after it is known that each contract among them is there: on a chain where it
 * has no code, what is sent to it may be lost. Only the database knows which are contracts, and it tells in the deed's
 * own packet; so accounts of a key cost nothing, and only for contracts a chain is asked, outside of any transaction.
 * @param write does the deed, with what is to be planned in it first
 * @throws PAYEE_REFUSED, CHAIN_UNAVAILABLE
 */
export async function checkContractPayees<Result>(
  context: Context,
  accepts: readonly Pick<Accept, 'asset' | 'payTo'>[],
  write: (check: (tx: Transaction) => readonly Deed[]) => Promise<Result>,
): Promise<Result> {
  const payees = accepts.map(({ payTo }) => payTo);
  const chains = accepts.map(({ asset }) => asset.chainId);
  const check = (tx: Transaction): Deed[] => [
    tx.$executeRaw`
      /* refuseContractPayees */
      select refuse_contract_payees(${payees}::text[], ${chains}::bigint[])`,
  ];
  try {
    return await write(check);
  } catch (error) {
    const contracts = raisedFact(error, ARE_CONTRACTS);
    if (contracts === null) throw error;
    for (const contract of contracts.split(',')) await requireCode(context, contract);
    return write(() => []);
  }
}

async function requireCode(context: Context, contract: string): Promise<void> {
  const [chain = '', payTo = ''] = contract.split(':');
  const chainId = Number(chain);
  const reader = context.chainReader(chainId);
  const code = reader
    ? await reader.codeAt(payTo).catch((cause: unknown) => {
        throw chainErrors.CHAIN_UNAVAILABLE({ chainId }, { cause, retryAfter: 30 });
      })
    : null;
  if (!reader) throw chainErrors.CHAIN_UNAVAILABLE({ chainId }, { retryAfter: 30 });
  if (code === null) throw paymentErrors.PAYEE_REFUSED({ payTo: showAddress(payTo), chainId, reason: 'NO_CODE' });
}
