import { encodeGlobalId } from '../../src/kernel/ids.ts';
import type { Tenant, World } from '../support/tenants.ts';
import type { CountedTollhouse } from './trips.ts';

type Count = CountedTollhouse['count'];

/** What becomes of a tenant's links, by the deed that brings it about; one link goes through its whole life. */
export function linkRuns(
  count: Count,
  given: () => { readonly token: string; readonly tenant: Tenant; readonly world: World },
): Readonly<Record<string, () => ReturnType<Count>>> {
  let draft = '';
  const link = (): string => encodeGlobalId('PaymentLink', given().tenant.links[4]?.id ?? '');
  const change = (words: string): ReturnType<Count> => {
    const { token, tenant, world } = given();
    const query = `mutation {
      updatePaymentLink(input: { paymentLinkId: "${link()}", ${words} }) { paymentLink { title maxUses accepts { amount } } }
    }`;
    const payTo = tenant.people.OWNER.address;
    return count(query.replace('WAY', `asset: "${world.coin.caip19}", payTo: "${payTo}"`), {}, token);
  };
  const makeDraft = async (): Promise<void> => {
    const { token, tenant, world } = given();
    const { answer } = await count(
      `mutation ($payTo: Address!, $asset: String!) {
        createPaymentLink(input: { title: "Tea", status: DRAFT, accepts: [{ asset: $asset, amount: "1", payTo: $payTo }] }) {
          paymentLink { id }
        }
      }`,
      { payTo: tenant.people.OWNER.address, asset: world.coin.caip19 },
      token,
    );
    draft = (answer.data as { createPaymentLink: { paymentLink: { id: string } } }).createPaymentLink.paymentLink.id;
  };
  const deed = (field: string, selection: string): ReturnType<Count> =>
    count(
      `mutation ($id: ID!) { ${field}(input: { paymentLinkId: $id }) { ${selection} } }`,
      { id: draft },
      given().token,
    );
  const shown = 'paymentLink { status effectiveStatus }';
  return {
    updatePaymentLink: () => change('title: "Coffee", description: "x"'),
    'updatePaymentLink, its prices': () => change('accepts: [{ WAY, amount: "2", maxTotal: "9" }], maxUses: 9'),
    activatePaymentLink: async () => {
      await makeDraft();
      return deed('activatePaymentLink', shown);
    },
    pausePaymentLink: () => deed('pausePaymentLink', shown),
    archivePaymentLink: () => deed('archivePaymentLink', shown),
    deletePaymentLink: () => deed('deletePaymentLink', 'paymentLinkId'),
  };
}
