import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Link } from './api.ts';

/** Who is paid. */
export function Merchant({ link }: { readonly link: Link }): JSX.Element {
  const { logo } = link.theme;
  const [shown, setShown] = useState(logo !== null);
  return (
    <header class="merchant">
      {shown && logo !== null && (
        <img src={logo} alt="" width="40" height="40" referrerPolicy="no-referrer" onError={() => setShown(false)} />
      )}
      <span>{link.organizationName}</span>
    </header>
  );
}
