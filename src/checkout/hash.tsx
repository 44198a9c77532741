import type { JSX } from 'preact';
import type { Chain } from './api.ts';

/** A transaction, with the way to where people look it up, if one is known. */
export function Hash({ hash, chain }: { readonly hash: string; readonly chain: Chain | undefined }): JSX.Element {
  if (!chain?.explorerUrl) return <code>{hash}</code>;
  return (
    <a href={`${chain.explorerUrl}/tx/${hash}`} target="_blank" rel="noopener noreferrer">
      <code>{hash}</code>
    </a>
  );
}
