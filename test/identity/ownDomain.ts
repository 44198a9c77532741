import { newId } from '../../src/kernel/ids.ts';
import type { TestTollhouse } from '../support/tollhouse.ts';
import { getChallenge, goodTerms, rowId, type SignedIn, sql, submit, type Wallet, writeText } from './visitor.ts';

type House = Pick<TestTollhouse, 'ask' | 'url' | 'database'>;

/** A verified domain of somebody's organization; test/tenancy/domains.test.ts proves that one comes to be. */
async function addOwnDomain(house: House, { viewer }: SignedIn): Promise<string> {
  const host = `pay.d${newId()}.com`;
  await sql(
    house,
    `insert into organization_domains (organization_id, kind, host, verification_token, verified_at)
     values ($1, 'SUBDOMAIN', $2, md5($2), now())`,
    [rowId(viewer.organization.id), host],
  );
  return host;
}

/** Signs in with the wallet on a domain of the person's organization: the session is bound to it. */
export async function enterOwnDomain(house: House, person: SignedIn, wallet: Wallet): Promise<SignedIn> {
  const host = await addOwnDomain(house, person);
  const origin = { origin: `https://${host}` };
  const { nonce } = await getChallenge(house, {}, origin);
  const message = writeText({ ...goodTerms(house, wallet, nonce), domain: host, uri: `https://${host}` });
  const { code, signedIn } = await submit(house, { message, signature: await wallet.signMessage({ message }) }, origin);
  if (!signedIn) throw new Error(`Signing in failed: ${code}`);
  return signedIn;
}
