import type { Context } from '../../context.ts';
import type { Transaction } from '../../database/scope.ts';
import { accountLinked } from '../events.ts';
import type { OwnAccount } from './findOwnAccounts.ts';
import { tellOrganizations } from './tellOrganizations.ts';

/** Tells the user's organizations of an identity that was just linked, whatever its kind. */
export async function tellLinked(
  context: Context,
  tx: Transaction,
  userId: string,
  account: OwnAccount,
): Promise<void> {
  await tellOrganizations(context, tx, (organizationId) => accountLinked({ organizationId, userId, account }));
}
