import type { Context } from '../../context.ts';
import { isUniqueViolation } from '../../database/errors.ts';
import type { Deed, Transaction } from '../../database/scope.ts';
import { assertPerson } from '../../kernel/viewer.ts';
import { identityErrors } from '../errors.ts';
import { type CleanProfile, cleanProfile, type ProfileInput } from './cleanProfile.ts';

/**
 * Changes what the viewer tells of itself. Doing it twice is doing it once, so it takes no idempotency key.
 * @param input.read how the profile is read, in the packet that changes it
 * @throws USER_NAME_TAKEN
 */
export async function updateProfile<Profile>(
  context: Context,
  input: ProfileInput & { readonly read: (tx: Pick<Transaction, 'user'>, userId: string) => Deed<Profile> },
): Promise<Profile> {
  const { viewer, scope } = context;
  assertPerson(viewer);
  const { userId } = viewer;
  const profile = cleanProfile(input);
  try {
    const answers = await scope.write((tx) => [
      lockUser(tx, userId),
      saveUser(tx, userId, profile),
      saveProfile(tx, userId, profile),
      input.read(tx, userId),
    ]);
    return answers[3];
  } catch (error) {
    // The user's own row is met before, so what is there already is somebody else's name.
    if (isUniqueViolation(error)) throw identityErrors.USER_NAME_TAKEN({ userName: profile.userName ?? '' });
    throw error;
  }
}

/** Whoever merges or deletes the user takes this row first as well; what waits for that is refused by triggers. */
function lockUser(tx: Transaction, userId: string): Deed {
  return tx.$queryRaw`/* lockUser */ select from users where id = ${userId}::uuid for no key update`;
}

/** What others see too. */
function saveUser(tx: Transaction, userId: string, { displayName, avatarUrl }: CleanProfile): Deed {
  return tx.$executeRaw`
    /* updateUser */
    update users
    set display_name = coalesce(${displayName ?? null}, display_name),
        avatar_url = case when ${avatarUrl !== undefined}::boolean then ${avatarUrl ?? null} else avatar_url end
    where id = ${userId}::uuid
      and (${displayName !== undefined}::boolean or ${avatarUrl !== undefined}::boolean)`;
}

function saveProfile(tx: Transaction, userId: string, profile: CleanProfile): Deed {
  const { userName, givenName, familyName, bio, timeZone, language, preferences } = profile;
  const given = (value: unknown): boolean => value !== undefined;
  return tx.$executeRaw`
    /* updateProfile */
    insert into user_profiles as kept (
      user_id, user_name, given_name, family_name, bio, time_zone, language, preferences
    )
    values (
      ${userId}::uuid, ${userName ?? null}, ${givenName ?? null}, ${familyName ?? null}, ${bio ?? null},
      ${timeZone ?? null}, ${language ?? null}, ${JSON.stringify(preferences ?? {})}::jsonb
    )
    on conflict (user_id) do update
    set user_name = case when ${given(userName)}::boolean then excluded.user_name else kept.user_name end,
        given_name = case when ${given(givenName)}::boolean then excluded.given_name else kept.given_name end,
        family_name = case when ${given(familyName)}::boolean then excluded.family_name else kept.family_name end,
        bio = case when ${given(bio)}::boolean then excluded.bio else kept.bio end,
        time_zone = case when ${given(timeZone)}::boolean then excluded.time_zone else kept.time_zone end,
        language = case when ${given(language)}::boolean then excluded.language else kept.language end,
        preferences = case when ${given(preferences)}::boolean then excluded.preferences else kept.preferences end`;
}
