import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { FormEvent, ReactElement } from 'react';
import type { Session } from 'tollhouse/client';
import { useConfig } from 'wagmi';
import { Failure } from './failure.tsx';
import { type Chain, CreatePaymentLink } from './operations.ts';
import { tollhouse } from './tollhouse.ts';
import { withFreshProof } from './withFreshProof.ts';

interface CreateLinkProps {
  readonly session: Session;
  /** Who is paid: a wallet that a member has proved, as signing in does. */
  readonly payTo: `0x${string}`;
  readonly chains: readonly Chain[];
}

/** A form for a link with one price. The client gives the deed a key, so that trying again cannot make two. */
export function CreateLink({ session, payTo, chains }: CreateLinkProps): ReactElement {
  const config = useConfig();
  const queries = useQueryClient();
  const create = useMutation({
    mutationFn: ({ title, amount, asset }: Record<string, string>) => {
      const input = { title: title ?? '', accepts: [{ asset: asset ?? '', amount: amount ?? '', payTo }] };
      return withFreshProof(config, () => tollhouse.mutate(CreatePaymentLink, { input }));
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ['links', session.id] }),
  });
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
    create.mutate(given, { onSuccess: () => form.reset() });
  };
  const made = create.data?.createPaymentLink.paymentLink;
  return (
    <section aria-labelledby="create-link">
      <h2 id="create-link">New payment link</h2>
      <form onSubmit={submit}>
        <label>
          What for
          <input name="title" required maxLength={200} />
        </label>
        <label>
          Amount
          <input name="amount" required inputMode="decimal" pattern="\d+(\.\d+)?" title="A number such as 12.5" />
        </label>
        <label>
          In
          <select name="asset">
            {chains.flatMap((chain) =>
              chain.assets.map(({ caip19, symbol }) => (
                <option key={caip19} value={caip19}>
                  {symbol} on {chain.name}
                </option>
              )),
            )}
          </select>
        </label>
        <button type="submit" disabled={create.isPending}>
          Create link
        </button>
      </form>
      <p role="status">
        {made && (
          <>
            Made “{made.title}”: <a href={made.url}>{made.url}</a>
          </>
        )}
      </p>
      <Failure error={create.error} />
    </section>
  );
}
