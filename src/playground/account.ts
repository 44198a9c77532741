import {
  createTollhouseClient,
  graphql,
  type ResultOf,
  type Session,
  type TollhouseClient,
  type Wallet,
} from '../client/tollhouseClient.ts';
import { type Notice, showChange, showFailure } from './notices.ts';

const SignedIn = graphql(`
  subscription SignedIn {
    viewerChanged {
      role
      customRole { name }
      user { displayName }
      organization { id name }
      memberships { organization { id name } }
    }
  }
`);

type Viewer = ResultOf<typeof SignedIn>['viewerChanged'];
type Place = Viewer['organization'];

/** Who is signed in, and where. */
export interface Person {
  readonly name: string;
  readonly wallet: string | null;
  readonly role: string;
  readonly organization: Place;
  /** Where they may work, this one among them. */
  readonly organizations: readonly Place[];
}

/** What the page shows of who is signed in, and of what has just happened to them. */
export interface Standing {
  readonly person: Person | null;
  readonly notice: Notice | null;
}

/** A wallet that somebody has chosen. */
export interface ChosenWallet {
  readonly name: string;
  /** Makes it ready to sign; it says which chain it is on, if it is on one. */
  open(): Promise<{ readonly wallet: Wallet; readonly chainId?: number | undefined }>;
}

/** The page's account at a gateway. Its tokens are in the page's memory alone, and gone with it. */
export interface Account {
  /** Asks as whoever is signed in. */
  readonly client: TollhouseClient;
  read(): Standing;
  subscribe(listener: () => void): () => void;
  signIn(chosen: ChosenWallet): Promise<void>;
  switchOrganization(id: string): Promise<void>;
  signOut(): Promise<void>;
}

/** Opens an account with nobody signed in. */
export function createAccount(url: string): Account {
  const client = createTollhouseClient({ url });
  const listeners = new Set<() => void>();
  let standing: Standing = { person: null, notice: null };
  const show = (change: Partial<Standing>): void => {
    standing = { ...standing, ...change };
    for (const listener of listeners) listener();
  };
  const attempt = (deed: Promise<unknown>): Promise<void> =>
    deed.then(
      () => undefined,
      (error: unknown) => show({ notice: showFailure(error) }),
    );
  client.onSessionChange((session, reason) => {
    show({ person: session && personOf(session, null), notice: showChange(session, reason) });
    if (session) void follow(client, session, (person) => show({ person }));
  });
  return {
    client,
    read: () => standing,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    signIn: (chosen) => {
      show({ notice: { tone: 'quiet', text: `${chosen.name} is to sign…` } });
      return attempt(signIn(client, chosen));
    },
    switchOrganization: (id) => attempt(client.switchOrganization(id)),
    signOut: () => attempt(client.signOut()),
  };
}

/** On the wallet's own chain, where one may sign in on that: a contract wallet can be asked for its word on no other. */
async function signIn(client: TollhouseClient, { open }: ChosenWallet): Promise<void> {
  const { wallet, chainId } = await open();
  try {
    await client.signIn({ wallet, chainId });
  } catch (error) {
    if (chainId === undefined || !isAbroad(error)) throw error;
    await client.signIn({ wallet });
  }
}

function isAbroad(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'SIWE_CHAIN_NOT_ALLOWED';
}

/** Hears what becomes of them, and that their session was ended elsewhere; the client tells of that by itself. */
async function follow(client: TollhouseClient, session: Session, show: (person: Person) => void): Promise<void> {
  try {
    for await (const { viewerChanged } of client.subscribe(SignedIn)) {
      if (client.session !== session) return;
      show(personOf(session, viewerChanged));
    }
  } catch {
    // Who is signed in is known without it, and the next request tells what there is to tell.
  }
}

function personOf(session: Session, viewer: Viewer | null): Person {
  const { user, organization, role } = viewer ?? session;
  return {
    name: user.displayName,
    wallet: session.wallet,
    role: viewer?.customRole?.name ?? role,
    organization,
    organizations: viewer?.memberships.map((membership) => membership.organization) ?? [organization],
  };
}
