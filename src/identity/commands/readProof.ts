import type { Context } from '../../context.ts';
import type { SignedText } from '../model.ts';

/** What the contract wallet of a session proved itself with; null when the session is another wallet's. */
export async function readProof(context: Context, sessionId: string): Promise<SignedText | null> {
  const [proof] = await context.identityScope({ sessionId }).db.$queryRaw<SignedText[]>`
    /* readProof */
    select proof_message as message, '0x' || encode(proof_signature, 'hex') as signature
    from sessions
    where id = ${sessionId}::uuid and proof_message is not null`;
  return proof ?? null;
}
