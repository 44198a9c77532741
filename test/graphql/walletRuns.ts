import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import type { CountedTollhouse } from './trips.ts';

/** Deeds with the wallets of the person who has signed in, by an account of its own key; the one that is linked goes again. */
export function walletRuns(
  house: () => CountedTollhouse,
  account: PrivateKeyAccount,
  token: () => string | undefined,
): Readonly<Record<string, () => ReturnType<CountedTollhouse['count']>>> {
  const other = privateKeyToAccount(generatePrivateKey());
  let walletId = '';
  const challenge = (purpose: string, address: string): ReturnType<CountedTollhouse['count']> =>
    house().count(
      `mutation ($purpose: WalletChallengePurpose!, $address: Address!) {
        createWalletChallenge(input: { purpose: $purpose, address: $address }) { challenge { message } }
      }`,
      { purpose, address },
      token(),
    );
  const sign = async (field: string, purpose: string, by: PrivateKeyAccount, selection: string) => {
    const { answer } = await challenge(purpose, by.address);
    const given = answer.data?.createWalletChallenge as { challenge: { message: string } } | undefined;
    const message = given?.challenge.message ?? '';
    return house().count(
      `mutation ($message: String!, $signature: Hex!) {
        ${field}(input: { message: $message, signature: $signature }) { ${selection} }
      }`,
      { message, signature: await by.signMessage({ message }) },
      token(),
    );
  };
  const change = (field: string, selection: string) =>
    house().count(`mutation ($id: ID!) { ${field}(input: { id: $id }) { ${selection} } }`, { id: walletId }, token());
  const linking = async () => {
    const run = await sign('linkWallet', 'LINK', other, 'wallet { id address primary } alreadyLinked');
    const { wallet } = (run.answer.data?.linkWallet ?? {}) as { wallet?: { id: string } };
    walletId = wallet?.id ?? '';
    return run;
  };
  return {
    createWalletChallenge: () => challenge('LINK', other.address),
    linkWallet: linking,
    'linkWallet, again': linking,
    stepUp: () => sign('stepUp', 'STEP_UP', account, 'freshUntil'),
    setPrimaryWallet: () => change('setPrimaryWallet', 'wallet { primary }'),
    unlinkIdentity: () => change('unlinkIdentity', 'identityId signedOut'),
  };
}
