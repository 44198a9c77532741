import { randomBytes } from 'node:crypto';
import type { Pair, Probe } from './probe.ts';

/** The texts of linking an e-mail address, by where they go. */
export function emailProbes({
  admin,
  otherId,
}: {
  /** Runs a statement as a superuser. */
  readonly admin: (text: string, values: unknown[]) => Promise<unknown>;
  /** A user of the other tenant's. */
  readonly otherId: () => string;
}): Readonly<Record<string, Probe | string>> {
  const pairs = async (): Promise<Pair[]> => {
    const [theirs, nobodys] = [0, 1].map(() => `${randomBytes(8).toString('hex')}@example.org`) as [string, string];
    await admin(
      `insert into identities (user_id, kind, issuer, subject, email, email_verified)
       values ($1, 'EMAIL', 'email', $2, $2, true)`,
      [otherId(), theirs],
    );
    return [[theirs, nobodys]];
  };
  return {
    'Mutation.createEmailCode.input.email': {
      query: 'mutation ($value: String!) { createEmailCode(input: { email: $value }) { email expiresAt } }',
      pairs,
      blur: /\d{4}-\d\d-\d\dT[\d:.]+Z/g,
    },
    'Mutation.linkEmail.input.email': {
      query: 'mutation ($value: String!) { linkEmail(input: { email: $value, code: "00000000" }) { alreadyLinked } }',
      pairs,
    },
    'Mutation.linkEmail.input.code': 'names nothing without its address, see test/identity/email.test.ts',
  };
}
