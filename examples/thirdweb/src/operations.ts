import { graphql, type ResultOf } from 'tollhouse/client';

/** Where smart accounts can be. */
export const Chains = graphql(`
  query Chains { chains { chainId name publicRpcUrl } }
`);

export type Chain = ResultOf<typeof Chains>['chains'][number];

const IdentityFields = graphql(`
  fragment IdentityFields on Identity {
    id kind issuer subject email emailVerified phone
    wallet { kind source }
  }
`);

export type Identity = ResultOf<typeof IdentityFields>;

/** All that proves the one who is signed in. */
export const Identities = graphql(
  `
    query Identities {
      viewer { identities(first: 50) { edges { node { ...IdentityFields } } } }
    }
  `,
  [IdentityFields],
);

export const LinkThirdwebProfile = graphql(`
  mutation LinkThirdwebProfile($input: LinkThirdwebProfileInput!) {
    linkThirdwebProfile(input: $input) { alreadyLinked }
  }
`);
