import { exchangeHeld, sessionOf, takePass } from './access.ts';
import { type Done, readDocument } from './document.ts';
import { goOnElsewhere, type Next, newSession } from './goOn.ts';
import type { ResultOf } from './graphql.ts';
import { SwitchOrganization } from './operations.ts';
import { request } from './request.ts';
import type { ClientContext, Session } from './state.ts';
import { failure } from './tollhouseError.ts';

/**
 * Goes on in another organization of the user's: in a session of its own that was left there, or else in a new one.
 * @throws ORGANIZATION_NOT_JOINED, NOT_SIGNED_IN
 */
export async function switchOrganization(
  client: ClientContext,
  organizationId: string,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<Session> {
  await takePass(client, signal);
  const { session: before, family, epoch } = client.state;
  if (!before) throw failure('NOT_SIGNED_IN');
  if (before.organization.id === organizationId) return before;
  const next =
    (await goBack(client, before, organizationId)) ?? (await open(client, { organizationId, family, signal }));
  await goOnElsewhere(client, next, epoch);
  return next.session;
}

/** Each switch begins a session; whoever was there before has one. */
function goBack(client: ClientContext, { user }: Session, organizationId: string): Promise<Next | null> {
  return exchangeHeld(client, ({ held }) =>
    held.findLast((one) => one.userId === user.id && one.organizationId === organizationId),
  );
}

async function open(
  client: ClientContext,
  asked: { organizationId: string; family: string | null; signal: AbortSignal | undefined },
): Promise<Next> {
  const { organizationId, family, signal } = asked;
  const { held } = await client.keyring.read();
  const root = held.find((one) => one.family === family)?.root ?? family;
  const { session: begun } = (await request(client, {
    operation: readDocument(SwitchOrganization),
    variables: { input: { organizationId } },
    signal,
  })) as Done<ResultOf<typeof SwitchOrganization>>;
  const { viewer, accessToken, refreshToken } = begun;
  return newSession({ session: sessionOf(viewer), accessToken, refreshToken, root });
}
