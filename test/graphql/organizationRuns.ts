import { encodeGlobalId } from '../../src/kernel/ids.ts';
import type { CountedTollhouse } from './trips.ts';

type Run = () => ReturnType<CountedTollhouse['count']>;
type Runs = Readonly<Record<string, Run>>;

/** Deeds with domains by the owner of the organization that has this one. */
export function domainRuns(count: CountedTollhouse['count'], owner: () => { token: string; domainId: string }): Runs {
  const named = (field: string, selection: string): Run => {
    return () => {
      const { token, domainId } = owner();
      const id = encodeGlobalId('Domain', domainId);
      return count(`mutation ($id: ID!) { ${field}(input: { id: $id }) { ${selection} } }`, { id }, token);
    };
  };
  return {
    addDomain: () =>
      count(
        'mutation { addDomain(input: { host: "tea-house.com", kind: CUSTOM }) { domain { id host record { value } } } }',
        {},
        owner().token,
      ),
    'verifyDomain, again': named('verifyDomain', 'domain { id verifiedAt }'),
    setPrimaryDomain: named('setPrimaryDomain', 'domain { primary }'),
    removeDomain: named('removeDomain', 'domainId'),
  };
}

/** Changes of an organization by its owner, by the names that their costs are pinned under. */
export function organizationRuns(count: CountedTollhouse['count'], token: () => string): Runs {
  const change = (field: string, input: string, selection: string): Run => {
    return () => count(`mutation { ${field}(input: ${input}) { ${selection} replayed } }`, {}, token());
  };
  const renamed = 'organization { name slug description metadata settings { requireStepUp } }';
  return {
    updateOrganization: change('updateOrganization', '{ name: "Tea house", metadata: { floor: 2 } }', renamed),
    'updateOrganization, keyed': change(
      'updateOrganization',
      '{ name: "Tea house", idempotencyKey: "a-key-for-a-tea-house" }',
      renamed,
    ),
    updateOrganizationSettings: change(
      'updateOrganizationSettings',
      '{ requireStepUp: true }',
      'organization { settings { requireStepUp } }',
    ),
    updateStoreConfiguration: change(
      'updateStoreConfiguration',
      '{ theme: { colour: "red" } }',
      'organization { storeConfiguration { theme layout } }',
    ),
  };
}
