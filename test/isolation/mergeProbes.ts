import { randomBytes } from 'node:crypto';
import type { Pair, Probe } from './probe.ts';

/** The texts that name another user, or one's own, by where they go. */
export function mergeProbes({
  idPairs,
  giveTicket,
}: {
  readonly idPairs: () => Pair[];
  /** Gives somebody of the other tenant a ticket. */
  readonly giveTicket: (ticket: string) => Promise<unknown>;
}): Readonly<Record<string, Probe>> {
  const ticketPairs = async (): Promise<Pair[]> => {
    const [theirs, nobodys] = [newTicket(), newTicket()];
    await giveTicket(theirs);
    return [[theirs, nobodys]];
  };
  return {
    'Query.mergePreview.mergeTicket': {
      query: 'query ($value: String!) { mergePreview(mergeTicket: $value) { viewerSurvives } }',
      pairs: ticketPairs,
    },
    'Mutation.mergeUsers.input.mergeTicket': {
      query: 'mutation ($value: String!) { mergeUsers(input: { mergeTicket: $value }) { userId } }',
      pairs: ticketPairs,
    },
    'Mutation.deleteUser.input.userId': {
      query: 'mutation ($value: ID!) { deleteUser(input: { userId: $value }) { userId } }',
      pairs: idPairs,
    },
  };
}

const newTicket = (): string => `th_mt_${randomBytes(32).toString('base64url')}`;
