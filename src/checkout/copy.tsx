import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

/** A button that copies a text, where the browser lets a page do that. */
export function Copy({ text, what }: { readonly text: string; readonly what: string }): JSX.Element | null {
  const [copied, setCopied] = useState(false);
  if (!navigator.clipboard) return null;
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <>
      <button type="button" class="small" onClick={copy}>
        Copy<span class="unseen"> {what}</span>
      </button>
      <span role="status" class="quiet">
        {copied && 'Copied'}
      </span>
    </>
  );
}
