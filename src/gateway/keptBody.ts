import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { type Exchange, sendText } from './answer.ts';

/** How a body can travel. */
type Coding = 'br' | 'gzip' | 'identity';

/** A body that does not change, in each coding that was asked for once. */
export interface KeptBody {
  readonly type: string;
  /** Names the content: two that differ never share one. */
  readonly digest: string;
  /** The bytes in a coding; compressed once. */
  read(coding: Coding): Promise<Buffer>;
}

/** Below this a coding saves less than its header costs. */
const WORTH_BYTES = 512;
/** The best compression of more than this would take seconds; without it a tenth of the time makes it a tenth larger. */
const BEST_BYTES = 512 * 1024;

/**
 * Keeps a body; it is compressed when a browser first asks for that.
 * @param most how many bytes may be compressed as well as can be
 */
export function keepBody(content: Buffer, type: string, most = BEST_BYTES): KeptBody {
  const kept = new Map<Coding, Promise<Buffer>>([['identity', Promise.resolve(content)]]);
  return {
    type,
    digest: createHash('sha256').update(content).digest('hex').slice(0, 32),
    read(coding) {
      const known = kept.get(coding) ?? compress(content, coding, content.length <= most);
      kept.set(coding, known);
      return known;
    },
  };
}

function compress(content: Buffer, coding: Coding, best: boolean): Promise<Buffer> {
  if (coding === 'gzip') return promisify(gzip)(content, { level: best ? 9 : 5 });
  const quality = best ? constants.BROTLI_MAX_QUALITY : 5;
  return promisify(brotliCompress)(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: quality,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  });
}

/**
 * Answers with a kept body: compressed as far as the browser takes it, without it where the browser has it already.
 * @param headers say how long it may be kept, and what it may do
 */
export async function sendKept(
  exchange: Exchange,
  body: KeptBody,
  headers: Readonly<Record<string, string>>,
  status = 200,
): Promise<void> {
  const { request } = exchange;
  const plain = await body.read('identity');
  // other fonts and pictures are compressed in themselves
  const isWorth = plain.length >= WORTH_BYTES && /^(text\/|image\/svg|font\/ttf)/.test(body.type);
  const coding = isWorth ? codingFor(request.headers['accept-encoding']) : 'identity';
  const sent = {
    ...headers,
    'content-type': body.type,
    vary: 'Accept-Encoding',
    // each coding is another body, and a cache in front must not mix them up
    etag: `"${body.digest}${coding === 'identity' ? '' : `-${coding}`}"`,
  };
  if (status === 200 && isKnown(request.headers['if-none-match'], body)) {
    return sendText(exchange, 304, '', sent);
  }
  const bytes = await body.read(coding);
  sendText(exchange, status, bytes, { ...sent, ...(coding !== 'identity' && { 'content-encoding': coding }) });
}

/** The smallest coding of those that the browser takes, unless it likes another one better. */
function codingFor(accepted: string | string[] | undefined): Coding {
  const weights = new Map(
    String(accepted ?? '')
      .toLowerCase()
      .split(',')
      .map((part): [string, number] => {
        const [coding = '', ...rest] = part.split(';').map((word) => word.trim());
        const weight = Number(rest.find((word) => word.startsWith('q='))?.slice(2) ?? 1);
        return [coding, Number.isFinite(weight) ? weight : 0];
      }),
  );
  const weightOf = (coding: string): number => weights.get(coding) ?? weights.get('*') ?? 0;
  const [brotli, zipped] = [weightOf('br'), weightOf('gzip')];
  if (brotli <= 0 && zipped <= 0) return 'identity';
  return brotli >= zipped ? 'br' : 'gzip';
}

/** Whether a browser says that it has this very body, in whatever coding. */
function isKnown(noneMatch: string | undefined, { digest }: KeptBody): boolean {
  if (noneMatch === undefined) return false;
  const tags = noneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.some((tag) => tag === '*' || tag.replace(/^"|"$/g, '').replace(/-(br|gzip)$/, '') === digest);
}
