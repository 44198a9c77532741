import type { Tenant } from '../world.ts';

/** What is measured: three reads and a write. */
export const OPERATIONS = ['Q1', 'Q2', 'Q3', 'M1'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** One request's subject. */
export interface Pick {
  readonly tenant: Tenant;
  readonly linkId: string;
}

/** A request to a system, and how its answer reads. */
export interface Face {
  readonly path: string;
  headers(pick: Pick): Readonly<Record<string, string>>;
  body(operation: Operation, pick: Pick): object;
  /** The answer's data in the one shape that all systems are compared in; throws when something is missing. */
  read(operation: Operation, data: never): Answer;
}

/** What an operation comes to, in whatever words a system says it: ids are UUIDs, addresses in lower case, times in ms. */
export type Answer = LinkPage | LinkDetails | Self | MadeLink;

interface LinkPage {
  readonly hasNextPage: boolean;
  readonly links: readonly {
    readonly id: string;
    readonly title: string;
    readonly status: string;
    readonly createdAt: number;
    readonly createdBy: string;
    readonly orders: readonly {
      readonly id: string;
      readonly status: string;
      readonly dueUnits: string;
      readonly creditedUnits: string;
      readonly createdAt: number;
      readonly transactions: readonly { readonly hash: string; readonly status: string; readonly units: string }[];
    }[];
  }[];
}

interface Accept {
  readonly units: string;
  readonly payTo: string;
  readonly symbol: string;
}

interface LinkDetails {
  readonly id: string;
  readonly slug: string;
  readonly title: string;
  readonly status: string;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly accepts: readonly Accept[];
}

interface Self {
  readonly userId: string;
  readonly displayName: string;
  readonly wallets: readonly { readonly address: string; readonly kind: string }[];
  readonly organization: Organization;
  readonly role: string;
  /** By the organization's id. */
  readonly memberships: readonly { readonly role: string; readonly organization: Organization }[];
}

interface Organization {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
}

/** Its id and slug are new each time, so only their being there is looked at. */
interface MadeLink {
  readonly title: string;
  readonly accepts: readonly Accept[];
  readonly createdBy: string;
}

/** What every new link says of itself. */
export const NEW_LINK = { title: 'Tea for two', asset: 'eip155:31337/slip44:60', amount: '1.5' } as const;

/** Memberships in an order that does not depend on how they were read. */
export function sortMemberships(memberships: Self['memberships']): Self['memberships'] {
  return [...memberships].sort((one, other) => (one.organization.id < other.organization.id ? -1 : 1));
}

/** Refuses a link that has no name of its own. */
export function checkNew({ id, slug }: { readonly id: string; readonly slug: string }): void {
  if (!/^[0-9a-f-]{36}$/.test(id) || slug.length < 20) throw new Error(`a new link has the id ${id} and slug ${slug}`);
}
