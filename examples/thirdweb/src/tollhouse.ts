import { createTollhouseClient, type TollhouseClient } from 'tollhouse/client';

/** Where the gateway is: `npm run example:thirdweb -- <address>` says another one. */
export const GATEWAY: string = import.meta.env.VITE_GATEWAY_URL ?? 'http://localhost:4000/graphql';

/** The one client of this page. The session outlives a reload, and all tabs of this origin share it. */
export const tollhouse: TollhouseClient = createTollhouseClient({ url: GATEWAY, storage: localStorage });

// While you edit this, another client would know nobody: the page begins anew instead.
import.meta.hot?.accept(() => location.reload());
