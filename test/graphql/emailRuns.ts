import type { Outbox } from '../../src/identity/providers/outbox.ts';
import { codeIn } from '../identity/reader.ts';
import type { CountedTollhouse } from './trips.ts';

/** Linking an e-mail address by a signed-in person, and again, by the names that their costs are pinned under. */
export function emailRuns({
  house,
  token,
}: {
  readonly house: () => Pick<CountedTollhouse, 'count' | 'resources'>;
  readonly token: () => string;
}): Readonly<Record<string, () => ReturnType<CountedTollhouse['count']>>> {
  const email = 'alice@example.org';
  const ask = (): ReturnType<CountedTollhouse['count']> =>
    house().count(
      'mutation ($email: String!) { createEmailCode(input: { email: $email }) { email expiresAt } }',
      { email },
      token(),
    );
  const link = (): ReturnType<CountedTollhouse['count']> => {
    const { mails } = house().resources.mailSender as Outbox;
    return house().count(
      `mutation ($email: String!, $code: String!) {
        linkEmail(input: { email: $email, code: $code }) { identity { id email } alreadyLinked }
      }`,
      { email, code: codeIn(mails.at(-1)?.text ?? '') },
      token(),
    );
  };
  return {
    createEmailCode: ask,
    linkEmail: link,
    'linkEmail, again': async () => {
      await ask();
      return link();
    },
  };
}
