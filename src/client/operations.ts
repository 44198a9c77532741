import { graphql } from './graphql.ts';

const ViewerFields = /* @__PURE__ */ graphql(`
  fragment ViewerFields on Viewer {
    role
    session { id isBound wallet { address } }
    user { id displayName }
    organization { id name slug }
  }
`);

export const CreateSignInChallenge = /* @__PURE__ */ graphql(`
  mutation CreateSignInChallenge($input: CreateSignInChallengeInput!) {
    createSignInChallenge(input: $input) { challenge { nonce message } }
  }
`);

export const CreateThirdwebChallenge = /* @__PURE__ */ graphql(`
  mutation CreateThirdwebChallenge($input: CreateSignInChallengeInput!) {
    createSignInChallenge(input: $input) {
      challenge {
        thirdwebPayload {
          domain address statement uri version chain_id nonce issued_at expiration_time invalid_before
        }
      }
    }
  }
`);

export const SignInWithEthereum = /* @__PURE__ */ graphql(
  `
    mutation SignInWithEthereum($input: SignInWithEthereumInput!) {
      session: signInWithEthereum(input: $input) { accessToken refreshToken isNewUser viewer { ...ViewerFields } }
    }
  `,
  [ViewerFields],
);

export const SignInWithThirdweb = /* @__PURE__ */ graphql(
  `
    mutation SignInWithThirdweb($input: SignInWithThirdwebInput!) {
      session: signInWithThirdweb(input: $input) { accessToken refreshToken isNewUser viewer { ...ViewerFields } }
    }
  `,
  [ViewerFields],
);

export const SwitchOrganization = /* @__PURE__ */ graphql(
  `
    mutation SwitchOrganization($input: SwitchOrganizationInput!) {
      session: switchOrganization(input: $input) { accessToken refreshToken isNewUser viewer { ...ViewerFields } }
    }
  `,
  [ViewerFields],
);

/** Asks for nothing but tokens: whatever else could fail would lose them, and the old one is spent. */
export const RefreshSession = /* @__PURE__ */ graphql(`
  mutation RefreshSession($input: RefreshSessionInput!) {
    refreshSession(input: $input) { accessToken refreshToken }
  }
`);

export const WhoIsThere = /* @__PURE__ */ graphql(
  `
    query WhoIsThere { viewer { ...ViewerFields } }
  `,
  [ViewerFields],
);

export const SignOut = /* @__PURE__ */ graphql(`
  mutation SignOut { signOut { signedOut } }
`);

export const CreateStepUpChallenge = /* @__PURE__ */ graphql(`
  mutation CreateStepUpChallenge($input: CreateWalletChallengeInput!) {
    createWalletChallenge(input: $input) { challenge { message } }
  }
`);

export const StepUp = /* @__PURE__ */ graphql(`
  mutation StepUp($input: StepUpInput!) { stepUp(input: $input) { freshUntil } }
`);
