import type { ReactElement } from 'react';
import { TollhouseError } from 'tollhouse/client';

/** What went wrong, and what to do: the gateway says both. */
export function Failure({ error }: { readonly error: Error | null }): ReactElement | null {
  if (!error) return null;
  const { code = null, remedy = null } = error instanceof TollhouseError ? error : {};
  return (
    <div role="alert">
      <p>
        {error.message} {code && <code>{code}</code>}
      </p>
      {remedy && <p>{remedy}</p>}
    </div>
  );
}
