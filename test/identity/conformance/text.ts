/** What a text of EIP-4361 says; what is absent is left out of the text. */
export interface Terms {
  readonly scheme?: string;
  readonly domain: string;
  readonly address: string;
  readonly statement?: string;
  readonly uri: string;
  readonly version?: string;
  readonly chainId: number | string;
  readonly nonce: string;
  readonly issuedAt: string;
  readonly expirationTime?: string;
  readonly notBefore?: string;
  readonly requestId?: string;
  readonly resources?: readonly string[];
}

/** The text as EIP-4361 lays it out, right or wrong as the terms are. */
export function writeText(terms: Terms): string {
  const { scheme, statement, expirationTime, notBefore, requestId, resources } = terms;
  return [
    `${scheme === undefined ? '' : `${scheme}://`}${terms.domain} wants you to sign in with your Ethereum account:`,
    terms.address,
    '',
    ...(statement === undefined ? [] : [statement]),
    '',
    `URI: ${terms.uri}`,
    `Version: ${terms.version ?? '1'}`,
    `Chain ID: ${terms.chainId}`,
    `Nonce: ${terms.nonce}`,
    `Issued At: ${terms.issuedAt}`,
    ...(expirationTime === undefined ? [] : [`Expiration Time: ${expirationTime}`]),
    ...(notBefore === undefined ? [] : [`Not Before: ${notBefore}`]),
    ...(requestId === undefined ? [] : [`Request ID: ${requestId}`]),
    ...(resources === undefined ? [] : ['Resources:', ...resources.map((resource) => `- ${resource}`)]),
  ].join('\n');
}
