import '../graphql/scalars.ts';
import '../graphql/node.ts';
import '../identity/schema/viewer.ts';
import '../identity/schema/identities.ts';
import '../identity/schema/linking.ts';
import '../identity/schema/signIn.ts';
import '../identity/schema/tokens.ts';
import '../identity/schema/sessions.ts';
import '../identity/schema/profile.ts';
import '../tenancy/schema.ts';
import '../chain/schema.ts';
import '../payments/schema/orders.ts';
import '../payments/schema/links.ts';
import '../payments/schema/checkout.ts';
import { builder } from '../graphql/builder.ts';

/** The one schema, of all domains together. Nobody imports it but the front door and the tools that print it. */
export const schema = builder.toSchema();
