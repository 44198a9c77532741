import type { Pair, Probe } from './probe.ts';

const TEXT = 'names nothing: a text for people';

/** The texts that people write for people, by where they go. */
export function wordProbes({
  namePairs,
}: {
  readonly namePairs: () => Pair[];
}): Readonly<Record<string, Probe | string>> {
  return {
    'Asset.finalityFor.amount': 'names nothing: an amount',
    'Mutation.createPaymentLink.input.description': TEXT,
    'Mutation.createPaymentLink.input.title': TEXT,
    'Mutation.updateProfile.input.avatarUrl': TEXT,
    'Mutation.updateProfile.input.bio': TEXT,
    'Mutation.updateProfile.input.displayName': TEXT,
    'Mutation.updateProfile.input.familyName': TEXT,
    'Mutation.updateProfile.input.givenName': TEXT,
    'Mutation.updateProfile.input.language': 'names nothing: a language',
    'Mutation.updateProfile.input.timeZone': 'names nothing: a time zone',
    'Mutation.updateProfile.input.preferences': TEXT,
    'Mutation.updateProfile.input.userName': {
      query: 'mutation ($value: String) { updateProfile(input: { userName: $value }) { profile { userName } } }',
      // whose names are no names
      pairs: namePairs,
    },
  };
}
