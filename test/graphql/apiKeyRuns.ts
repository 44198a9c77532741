import type { CountedTollhouse } from './trips.ts';

type Run = () => ReturnType<CountedTollhouse['count']>;

/** Deeds with API keys by an owner, by the names that their costs are pinned under. */
export function apiKeyRuns(count: CountedTollhouse['count'], token: () => string): Readonly<Record<string, Run>> {
  let id = '';
  const change = (field: string, words = ''): Run => {
    return () =>
      count(
        `mutation ($id: ID!) { ${field}(input: { id: $id${words} }) { apiKey { id status name } } }`,
        { id },
        token(),
      );
  };
  return {
    createApiKey: async () => {
      const run = await count(
        `mutation { createApiKey(input: { kind: SERVICE, name: "Till", scopes: ["organization:read"] }) {
          key apiKey { id name scopes }
        } }`,
        {},
        token(),
      );
      const made = run.answer.data?.createApiKey as { apiKey: { id: string } } | undefined;
      id = made?.apiKey.id ?? '';
      return run;
    },
    updateApiKey: change('updateApiKey', ', name: "Door", monthlyLimit: 5'),
    confirmApiKey: change('confirmApiKey'),
    revokeApiKey: change('revokeApiKey'),
  };
}
