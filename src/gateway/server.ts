import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GraphQLSchema } from 'graphql';
import type { Logger } from 'pino';
import type { Resources } from '../context.ts';
import { graphqlErrors, showError } from '../graphql/errors.ts';
import { kernelErrors } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import { type Exchange, sendFailure, sendJson, sendOutcome, sendText } from './answer.ts';
import { ASSETS } from './bundle.ts';
import { CHECKOUT, createCheckoutPage, type SendCheckoutPage } from './checkoutPage.ts';
import { clientOf, createContext, idempotencyKeyOf, requestIdOf } from './context.ts';
import { openCookies, readCookies } from './cookies.ts';
import { allowOrigin, allowOwnDomain, answerPreflight } from './cors.ts';
import { createEngine, type Engine, type Visit } from './engine.ts';
import { createFaces, type Faces } from './faces.ts';
import { createFindKey, type FindKey } from './keys.ts';
import { openListener, PATIENCE, type Patience } from './listener.ts';
import { admitLocalPage } from './localPages.ts';
import { negotiate } from './negotiate.ts';
import {
  createPlayground,
  PLAYGROUND,
  type PlaygroundSettings,
  type SendPlayground,
  wantsPlayground,
} from './playground.ts';
import { readRequest } from './readRequest.ts';
import { readViewer } from './viewer.ts';

/** Keys rotate by being published before they sign, so an hour in a cache does no harm. */
const JWKS_HEADERS = { 'cache-control': 'public, max-age=3600' };

/** What the gateway serves. */
export interface House {
  readonly resources: Resources;
  readonly schema: GraphQLSchema;
  readonly health: {
    /** What the gateway still waits for, in words that may be shown to anybody; empty when it is ready. */
    ready(): Promise<readonly string[]>;
    /** What it can do without for now, in such words. */
    degraded(): Promise<readonly string[]>;
  };
  /** What the playground is told of this gateway; nothing when absent. */
  readonly playground?: PlaygroundSettings;
}

/** The front door: it is bound first, so that everything behind it may know its port, and serves when that is there. */
export interface Gateway {
  readonly port: number;
  /** Where it can be reached on this machine, without a slash at its end. */
  readonly url: string;
  /** Opens the door; until then everything but `/health/live` is answered 503. */
  serve(house: House): void;
  /** Makes the page that payers come to, which would be made for the first of them. */
  warm(): Promise<void>;
  /** Takes nothing new, finishes what runs within ten seconds, and closes. */
  drain(): Promise<void>;
}

/**
 * Binds the front door.
 * @param patience for tests that cannot wait as long as real clients may
 */
export async function openGateway(
  address: { host: string; port: number },
  log: Logger,
  patience: Patience = PATIENCE,
): Promise<Gateway> {
  let inside: Inside | null = null;
  const listener = await openListener(
    address,
    {
      receive: (request, response) => void receive(request, response, inside, { log, stalled: patience.stalled }),
      refuse: (status, { remoteAddress }) => {
        const requestId = newId();
        log.info({ requestId, status, client: remoteAddress }, 'not a request');
        return JSON.stringify({ errors: [showError(kernelErrors.BAD_REQUEST(), { requestId, log }).body] });
      },
    },
    patience,
  );
  return {
    port: listener.port,
    url: `http://${shownHost(address.host)}:${listener.port}`,
    serve: (house) => {
      inside = moveIn(house);
    },
    warm: async () => {
      await inside?.faces.read(CHECKOUT.name);
    },
    drain: listener.drain,
  };
}

/** The house with what is made once of it. */
interface Inside extends House {
  readonly engine: Engine;
  readonly findKey: FindKey;
  readonly faces: Faces;
  readonly sendCheckoutPage: SendCheckoutPage;
  readonly sendPlayground: SendPlayground | null;
}

function moveIn(house: House): Inside {
  const { environment } = house.resources;
  const engine = createEngine(house.schema, {
    tokens: environment.LIMIT_DOCUMENT_TOKENS,
    depth: environment.LIMIT_DOCUMENT_DEPTH,
    aliases: environment.LIMIT_DOCUMENT_ALIASES,
    rows: environment.LIMIT_DOCUMENT_ROWS,
  });
  const findKey = createFindKey(house.resources.database);
  const faces = createFaces(environment.production ? [CHECKOUT] : [CHECKOUT, PLAYGROUND]);
  const { playground = { demoWallets: [], asset: null } } = house;
  return {
    ...house,
    engine,
    findKey,
    faces,
    sendCheckoutPage: createCheckoutPage(faces),
    sendPlayground: environment.production ? null : createPlayground(faces, playground),
  };
}

async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  inside: Inside | null,
  { log, stalled }: { readonly log: Logger; readonly stalled: number },
): Promise<void> {
  const path = (request.url ?? '').split('?', 1).join('');
  const journal = { operation: null, mutates: false, operator: null, codes: new Set<string>() };
  const exchange: Exchange = { request, response, path, journal, requestId: requestIdOf(request), log, stalled };
  response.setHeader('x-request-id', exchange.requestId);
  writeLine(exchange, inside);
  try {
    await answer(exchange, inside);
  } catch (error) {
    // What was not read of a body is not read any more, whatever its size.
    if (!request.complete) response.shouldKeepAlive = false;
    sendFailure(exchange, error);
  }
}

function answer(exchange: Exchange, inside: Inside | null): void | Promise<void> {
  switch (exchange.path) {
    case '/':
      return answerRoot(exchange, inside);
    case '/graphql':
      if (!inside) throw kernelErrors.UNAVAILABLE({}, { retryAfter: 1 });
      return answerGraphql(exchange, inside);
    case '/.well-known/jwks.json':
      if (!inside) throw kernelErrors.UNAVAILABLE({}, { retryAfter: 1 });
      refuseButReading(exchange);
      return sendJson(exchange, 200, inside.resources.tokens.openKeys, JWKS_HEADERS);
    case '/health/live':
      refuseButReading(exchange);
      return sendJson(exchange, 200, { status: 'ok' });
    case '/health/ready':
      refuseButReading(exchange);
      return answerReady(exchange, inside);
    default:
      return answerPage(exchange, inside);
  }
}

/** Whoever opens the bare address in a browser is shown what there is to explore; production has nothing to show there. */
function answerRoot(exchange: Exchange, inside: Inside | null): void {
  if (!wantsPlayground(exchange.request)) throw graphqlErrors.PATH_NOT_FOUND();
  if (!inside) throw kernelErrors.UNAVAILABLE({}, { retryAfter: 1 });
  if (!inside.sendPlayground) throw graphqlErrors.PATH_NOT_FOUND();
  sendText(exchange, 302, '', { location: '/graphql', 'cache-control': 'no-store' });
}

/** Pages and what they are made of; whatever else somebody asks for is not there. */
async function answerPage(exchange: Exchange, inside: Inside | null): Promise<void> {
  const { path } = exchange;
  if (!path.startsWith('/pay/') && !path.startsWith(ASSETS)) throw graphqlErrors.PATH_NOT_FOUND();
  if (!inside) throw kernelErrors.UNAVAILABLE({}, { retryAfter: 1 });
  refuseButReading(exchange);
  if (await inside.faces.sendAsset(exchange)) return;
  if (await inside.sendCheckoutPage(exchange, inside.resources)) return;
  throw graphqlErrors.PATH_NOT_FOUND();
}

async function answerGraphql(exchange: Exchange, inside: Inside): Promise<void> {
  const { request } = exchange;
  const { engine, sendPlayground } = inside;
  const resources = admitLocalPage(inside.resources, request.headers.origin);
  const { environment } = resources;
  allowOrigin(exchange, resources.signInOrigins, environment.COOKIES);
  await allowOwnDomain(exchange, resources);
  if (request.method === 'OPTIONS') return answerPreflight(exchange, environment.COOKIES);
  if (sendPlayground && wantsPlayground(request)) return sendPlayground(exchange);
  const accepted = negotiate(request.headers.accept);
  const params = await readRequest(request, environment.LIMIT_DOCUMENT_BYTES);
  const received = readCookies(request, resources);
  const { requestId } = exchange;
  const client = clientOf(request, environment.TRUSTED_PROXIES);
  const { viewer, stale } = await readViewer(request.headers, received, {
    tokens: resources.tokens,
    findKey: (key) => inside.findKey(key, { requestId, client }),
  });
  if (viewer?.impersonates) exchange.journal.operator = viewer;
  const asked = {
    requestId,
    client,
    viewer,
    idempotencyKey: idempotencyKeyOf(request),
    cookies: openCookies(exchange, resources, received),
  };
  const visit: Visit = Object.assign(createContext(resources, asked), {
    acceptsEvents: accepted.events,
    mayMutate: request.method === 'POST',
    stale,
    announce: ({ name, mutates }: { name: string | null; mutates: boolean }) => {
      Object.assign(exchange.journal, { operation: name, mutates });
    },
  });
  await sendOutcome(exchange, await engine(params, visit), accepted);
}

function refuseButReading({ request: { method } }: Exchange): void {
  if (method !== 'GET' && method !== 'HEAD') throw graphqlErrors.METHOD_NOT_ALLOWED({ allow: ['GET', 'HEAD'] });
}

/** Ready when there is nothing left to wait for; what is merely missed is told beside. */
async function answerReady(exchange: Exchange, inside: Inside | null): Promise<void> {
  const waitingFor = inside ? await inside.health.ready().catch(unanswered) : ['start'];
  if (waitingFor.length > 0) return sendJson(exchange, 503, { status: 'waiting', waitingFor });
  const degraded = inside ? await inside.health.degraded().catch(unanswered) : [];
  sendJson(exchange, 200, { status: 'ok', ...(degraded.length > 0 && { degraded }) });
}

function unanswered(cause: unknown): never {
  throw kernelErrors.UNAVAILABLE({}, { cause });
}

/** One line a request, when it is over: who asked what, and how it went, but nothing of what was said. */
function writeLine({ request, response, path, journal, requestId, log }: Exchange, inside: Inside | null): void {
  const begun = performance.now();
  const { address } = clientOf(request, inside?.resources.environment.TRUSTED_PROXIES ?? 0);
  response.once('close', () => {
    const { operation, operator, codes } = journal;
    const line = {
      requestId,
      method: request.method,
      path: path.slice(0, 200),
      status: response.headersSent ? response.statusCode : null,
      ms: Math.round((performance.now() - begun) * 10) / 10,
      client: address,
      ...(operation !== null && { operation: operation.slice(0, 100) }),
      // reading leaves no other trace than this
      ...(operator && { operator: operator.userId, impersonation: operator.sessionId }),
      ...(codes.size > 0 && { codes: [...codes] }),
      ...(!response.writableFinished && { aborted: true }),
    };
    // Whoever asks for health asks every few seconds.
    if (path.startsWith('/health/')) log.debug(line, 'request');
    else log.info(line, 'request');
  });
}

function shownHost(host: string): string {
  if (['127.0.0.1', '0.0.0.0', '::1', '::'].includes(host)) return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
