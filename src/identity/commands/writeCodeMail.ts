import type { Context } from '../../context.ts';
import type { Mail } from '../../ports.ts';
import { shortAddress } from '../model.ts';
import { plainName } from './plainName.ts';

/** The mail that carries a code: who asked, what it is good for, and what to do when it was not the reader. */
export function writeCodeMail(
  { publicUrl }: Pick<Context, 'publicUrl'>,
  asked: {
    readonly to: string;
    readonly code: string;
    readonly minutes: number;
    readonly displayName: string;
    /** The primary wallet of who asked. */
    readonly address: string | null;
  },
): Mail {
  const { to, code, minutes, displayName, address } = asked;
  const name = plainName(displayName);
  const wallet = address === null ? '' : ` of ${shortAddress(address)}`;
  const account = name === '' ? `the account${wallet}` : `'${name}', the account${wallet},`;
  const text = [
    `Somebody who is signed in at ${publicUrl} as`,
    account,
    'asked to link this e-mail address to that account. The code is',
    '',
    `    ${code}`,
    '',
    `It is good for ${minutes} minutes, and only in their session. Nobody of ours will ever ask you for it.`,
    '',
    'If it was not you, do nothing: without the code the address is not linked. Give the code to nobody.',
    '',
  ];
  return { to, subject: 'Your code to link this e-mail address', text: text.join('\n') };
}
