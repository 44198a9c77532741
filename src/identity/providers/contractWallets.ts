import { BaseError, createClient, encodeDeployData, type Hex, hashMessage, http, stringToHex } from 'viem';
import artifact from '../contracts/SignatureCheck.json' with { type: 'json' };
import { identityErrors } from '../errors.ts';

/** Beyond this the node is as good as away. */
const PATIENCE_MS = 2_000;

/** What a check may burn, a deployment included; a passkey's curve in Solidity takes a twentieth of it. */
const GAS: Hex = '0x989680';

const LONGEST_ANSWER = 100_000;

/** When trying again makes sense, in seconds. */
const RETRY_AFTER = 5;

/**
 * Who the call says it is from: some contracts take nobody, who is the default, for a simulation that may do
 * everything. Nobody has the key of this one.
 */
const CALLER = stringToHex('tollhouse checks sig');

const NOWHERE: Hex = '0x0000000000000000000000000000000000000000';

const VERDICTS = ['NO', 'YES', 'DELEGATED'] as const;

/** What an account on the chain says of a signature. */
export interface Verdict {
  readonly verdict: (typeof VERDICTS)[number];
  /** What a contract that says yes says has made it, in lower case; null where it says nothing. */
  readonly factory: Hex | null;
}

/** A signature, and the account that it is put to. */
export interface Question {
  readonly address: Hex;
  readonly message: string;
  readonly signature: Hex;
  /** How the account comes to be inside the check, where it is not there yet. */
  readonly deployment: { readonly factory: Hex; readonly call: Hex } | null;
}

/** A chain's nodes, by their addresses. */
export interface NodesOfChain {
  readonly chainId: number;
  readonly rpcUrl: string;
  /** Those that are asked in their order when the first could not check. */
  readonly otherRpcUrls?: readonly string[] | undefined;
}

/**
 * Asks accounts of one chain, through its nodes: one call, two seconds at most. Every answer is a verdict, for good;
 * whatever is none means that nothing was checked, and then the next node is asked, each once. Whichever has answered
 * is asked first from then on.
 * @throws SIGNATURE_CHECK_UNAVAILABLE when none of them could check
 */
export function createAccountAsker({
  chainId,
  rpcUrl,
  otherRpcUrls = [],
}: NodesOfChain): (question: Question) => Promise<Verdict> {
  const nodes = [rpcUrl, ...otherRpcUrls].map((url) => connect(chainId, url));
  let current = 0;
  return async (question) => {
    const call = { from: CALLER, gas: GAS, data: creationCode(question) };
    const first = current;
    let failure: unknown;
    for (let turn = 0; turn < nodes.length; turn += 1) {
      const asked = (first + turn) % nodes.length;
      try {
        const verdict = await (nodes[asked] as Node)(call);
        current = asked;
        return verdict;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  };
}

type Node = (call: object) => Promise<Verdict>;

function connect(chainId: number, url: string): Node {
  // viem's own timeout ends with the headers, and its repeating waits for as long as a provider says.
  const transport = http(url, { timeout: 0, retryCount: 0, maxResponseBodySize: LONGEST_ANSWER });
  const client = createClient({ transport });
  const send = client.request as unknown as (call: object, options: { signal: AbortSignal }) => Promise<unknown>;
  return async (call) => {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await send({ method: 'eth_call', params: [call, 'latest'] }, { signal }).catch((error: unknown) => {
      // viem's errors quote the node's address, which may carry a secret, and ours are written to the log.
      const reason = error instanceof BaseError ? error.shortMessage : 'it did not answer in time';
      throw unavailable(chainId, reason);
    });
    return readVerdict(answer, chainId);
  };
}

function creationCode({ address, message, signature, deployment }: Question): Hex {
  return encodeDeployData({
    abi: artifact.abi,
    bytecode: artifact.bytecode as Hex,
    args: [address, hashMessage(message), signature, deployment?.factory ?? NOWHERE, deployment?.call ?? '0x'],
  });
}

/** Three words: the verdict, the chain that gave it, and the factory. */
function readVerdict(answer: unknown, chainId: number): Verdict {
  const words = /^0x([0-9a-f]{64})([0-9a-f]{64})0{24}([0-9a-f]{40})$/i.exec(String(answer)) ?? [];
  const [, said = '', chain = '', made = ''] = words;
  const verdict = VERDICTS[Number(`0x${said}`)];
  if (!verdict) throw unavailable(chainId, 'its answer is no verdict');
  if (BigInt(`0x${chain}`) !== BigInt(chainId)) throw unavailable(chainId, 'it is a node of another chain');
  const factory: Hex = `0x${made.toLowerCase()}`;
  return { verdict, factory: factory === NOWHERE ? null : factory };
}

function unavailable(chainId: number, reason: string): Error {
  const cause = new Error(`The node of chain ${chainId} could not check a signature: ${reason}.`);
  return identityErrors.SIGNATURE_CHECK_UNAVAILABLE({ chainId }, { retryAfter: RETRY_AFTER, cause });
}
