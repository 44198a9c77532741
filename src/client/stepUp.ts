import { type Done, readDocument, type TypedDocument } from './document.ts';
import { CreateStepUpChallenge, StepUp } from './operations.ts';
import { request } from './request.ts';
import type { ClientContext } from './state.ts';
import { failure } from './tollhouseError.ts';
import { openWallet, type Wallet } from './wallet.ts';

/**
 * Lets a wallet of the user's sign again, for what answers `STEP_UP_REQUIRED`; gives until when that is good.
 * @throws WALLET_NOT_YOURS
 */
export async function stepUp(
  client: ClientContext,
  { wallet = client.wallet, chainId, signal }: StepUpOptions,
): Promise<Date> {
  const ask = async <Result, Variables>(
    document: TypedDocument<Result, Variables>,
    variables: Variables,
  ): Promise<Done<Result>> =>
    (await request(client, { operation: readDocument(document), variables, signal })) as Done<Result>;
  const { address, sign } = await openWallet(wallet);
  const asked = {
    address: address as `0x${string}`,
    purpose: 'STEP_UP' as const,
    ...(chainId !== undefined && { chainId }),
  };
  const { createWalletChallenge } = await ask(CreateStepUpChallenge, { input: asked });
  const { message } = createWalletChallenge.challenge;
  if (message === null) throw failure('ANSWER_UNREADABLE');
  signal?.throwIfAborted();
  const signature = (await sign(message)) as `0x${string}`;
  const { stepUp: proved } = await ask(StepUp, { input: { message, signature } });
  return new Date(proved.freshUntil);
}

/** With which wallet, and on which chain. */
export interface StepUpOptions {
  readonly wallet?: Wallet | undefined;
  readonly chainId?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
