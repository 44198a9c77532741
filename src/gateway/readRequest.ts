import type { IncomingMessage } from 'node:http';
import { graphqlErrors } from '../graphql/errors.ts';
import { GatewayError, kernelErrors } from '../kernel/errors.ts';
import { readJson } from './readJson.ts';

/** What a request asks for, as GraphQL over HTTP carries it. */
export interface GraphqlParams {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
  readonly extensions?: Record<string, unknown>;
}

const NAMES = ['query', 'variables', 'operationName', 'extensions'];
const JSON_TYPE = /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-?8"?\s*)?;?\s*$/i;
/** HTTP has a status of its own for a body that is too large. */
const BODY_TOO_LARGE = { ...kernelErrors.definitions.DOCUMENT_TOO_LARGE, status: 413 };
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads what is asked for: from the JSON body of a POST, or the address of a GET.
 * @param maxBytes of the body; a larger one is refused as soon as that is known, and not read on
 * @throws METHOD_NOT_ALLOWED, UNSUPPORTED_MEDIA_TYPE, DOCUMENT_TOO_LARGE, BAD_REQUEST, BAD_USER_INPUT
 */
export async function readRequest(request: IncomingMessage, maxBytes: number): Promise<GraphqlParams> {
  if (request.method === 'GET') return readAddress(request.url ?? '');
  if (request.method !== 'POST') throw graphqlErrors.METHOD_NOT_ALLOWED({ allow: ['GET', 'POST', 'OPTIONS'] });
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = request.headers;
  if (!JSON_TYPE.test(type) || encoding.toLowerCase() !== 'identity') throw graphqlErrors.UNSUPPORTED_MEDIA_TYPE();
  const body = decode(await readBody(request, maxBytes));
  if (body.trim() === '') throw kernelErrors.BAD_REQUEST({ fault: 'the body is empty' });
  return checkParams(readJson(body, 'the body'));
}

function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = () => new GatewayError('DOCUMENT_TOO_LARGE', BODY_TOO_LARGE, { limit: 'bytes', most: maxBytes });
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) return reject(tooLarge());
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) return chunks.push(chunk);
      request.pause().removeAllListeners('data');
      reject(tooLarge());
    });
    const broken = () => reject(kernelErrors.BAD_REQUEST({ fault: 'the body ended early' }));
    request.once('end', () => {
      request.off('close', broken);
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
    });
    request.once('error', broken);
    request.once('close', broken);
  });
}

function decode(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch {
    throw kernelErrors.BAD_REQUEST({ fault: 'the body is not UTF-8' });
  }
}

function readAddress(url: string): GraphqlParams {
  const [, search = ''] = /\?([^#]*)/.exec(url) ?? [];
  const given: Record<string, unknown> = {};
  for (const part of search.split('&').filter(Boolean)) {
    const [name, text] = part.split(/=(.*)/s, 2).map(decodePart);
    if (!name || !NAMES.includes(name)) throw unknownName(name ?? '');
    if (name in given) throw kernelErrors.BAD_REQUEST({ fault: 'a name stands twice', name });
    const json = name === 'variables' || name === 'extensions';
    given[name] = json && text ? readJson(text, name) : text || null;
  }
  return checkParams(given);
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part.replaceAll('+', ' '));
  } catch {
    throw kernelErrors.BAD_REQUEST({ fault: 'the address is not UTF-8 in percent-encoding' });
  }
}

function checkParams(given: unknown): GraphqlParams {
  if (Array.isArray(given)) throw kernelErrors.BAD_REQUEST({ fault: 'several requests in one are not supported' });
  if (!isObject(given)) throw kernelErrors.BAD_REQUEST({ fault: 'the body is not a JSON object' });
  const unknown = Object.keys(given).find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw unknownName(unknown);
  const { query, variables, operationName, extensions } = given;
  if (typeof query !== 'string' || query === '') throw kernelErrors.BAD_REQUEST({ fault: 'query is not a text' });
  if (!isAbsent(operationName) && typeof operationName !== 'string') {
    throw kernelErrors.BAD_REQUEST({ fault: 'operationName is not a text' });
  }
  return {
    query,
    ...(operationName && { operationName }),
    ...objectOf('variables', variables),
    ...objectOf('extensions', extensions),
  };
}

function objectOf(name: 'variables' | 'extensions', value: unknown): Partial<GraphqlParams> {
  if (isAbsent(value)) return {};
  if (!isObject(value)) throw kernelErrors.BAD_REQUEST({ fault: `${name} is not a JSON object` });
  return { [name]: value };
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownName(name: string): GatewayError {
  return kernelErrors.BAD_REQUEST({ fault: 'the request has a part that is not known', name: name.slice(0, 100) });
}
