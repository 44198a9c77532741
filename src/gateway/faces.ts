import type { Exchange } from './answer.ts';
import { ASSETS, type Bundle, bundleFace, type Face } from './bundle.ts';
import { sendKept } from './keptBody.ts';

/** The faces that a gateway has; each is bundled when somebody first comes for it, and kept. */
export interface Faces {
  /** Bundles a face, or says what it became. */
  read(name: string): Promise<Bundle>;
  /** Answers with a file of a face; false where no face has one of this path. */
  sendAsset(exchange: Exchange): Promise<boolean>;
}

/** A file’s name holds a hash of what is in it, so that it is asked for once. What it may do is what the page may. */
const ASSET_HEADERS = {
  'cache-control': 'public, max-age=31536000, immutable',
  'content-security-policy': "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
};

/** What each face became in this process: the same, whichever gateway in it was asked first. */
const bundles = new WeakMap<Face, Promise<Bundle>>();

/** Makes nothing yet. */
export function createFaces(faces: readonly Face[]): Faces {
  const read = (name: string): Promise<Bundle> => {
    const face = faces.find((one) => one.name === name);
    if (!face) return Promise.reject(new Error(`There is no face called ${name}.`));
    const known = bundles.get(face);
    if (known !== undefined) return known;
    const made = bundleFace(face);
    bundles.set(face, made);
    // What failed once, for want of memory say, may succeed for the next visitor.
    made.catch(() => bundles.delete(face));
    return made;
  };
  return {
    read,
    async sendAsset(exchange) {
      const { path } = exchange;
      if (!path.startsWith(ASSETS)) return false;
      const [name = ''] = path.slice(ASSETS.length).split('/');
      if (!faces.some((face) => face.name === name)) return false;
      // A gateway that has just started may be asked for what another one’s page has named.
      const file = (await read(name)).files.get(path);
      if (!file) return false;
      await sendKept(exchange, file, ASSET_HEADERS);
      return true;
    },
  };
}

/** The policy of a page of ours: what it needs is named, and there is nothing else. */
export function policyOf(directives: Readonly<Record<string, string>>): string {
  return Object.entries({
    'default-src': "'none'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
    ...directives,
  })
    .map(([directive, sources]) => `${directive} ${sources}`)
    .join('; ');
}

/** What every page of ours says beside its policy: it is looked up again each time, and tells nobody where it was. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-cache',
  // a wallet may open a window of its own, and talk to the page from there
  'cross-origin-opener-policy': 'same-origin-allow-popups',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=()',
  'x-robots-tag': 'noindex',
};
