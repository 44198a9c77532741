import { useSyncExternalStore } from 'react';
import type { Session } from 'tollhouse/client';
import { tollhouse } from './tollhouse.ts';

/** Who is signed in; null for nobody. */
export function useSession(): Session | null {
  return useSyncExternalStore(tollhouse.onSessionChange, () => tollhouse.session);
}
