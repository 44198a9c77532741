import { domainToASCII } from 'node:url';
import { kernelErrors } from '../../kernel/errors.ts';

const MAX_LENGTH = 254;
const MAX_LOCAL = 64;
const LOCAL = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
/** What may become a name of the name system: letters of any script, and the dots that are used with them. */
const WRITTEN_DOMAIN = /^[\p{L}\p{M}\p{N}.\u3002\uff0e\uff61-]+$/u;
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])$/;

/**
 * An e-mail address in the one spelling that it is stored in: lower case, its domain in the letters of the name system.
 * What a provider makes of dots and of `+` is the provider's own, and stays.
 * @throws BAD_USER_INPUT
 */
export function cleanEmail(text: string): string {
  const [, local = '', written = ''] = /^([^@]+)@([^@]+)$/.exec(text.trim()) ?? [];
  const domain = WRITTEN_DOMAIN.test(written) ? domainToASCII(written) : '';
  // some letters of other scripts become Latin ones in lower case, and so are refused before
  const email = /^[\x21-\x7e]+$/.test(local) ? `${local.toLowerCase()}@${domain}` : '';
  const fits = email.length <= MAX_LENGTH && local.length <= MAX_LOCAL;
  if (!fits || !DOMAIN.test(domain) || !LOCAL.test(local.toLowerCase()) || email === '') {
    const expected = `an e-mail address of at most ${MAX_LENGTH} characters, such as alice@example.org`;
    throw kernelErrors.BAD_USER_INPUT({ field: 'email', expected });
  }
  return email;
}
