import { basename, extname, join } from 'node:path';
import type { BuildOptions, BuildResult, Metafile, OutputFile } from 'esbuild';
import { type KeptBody, keepBody } from './keptBody.ts';

/** A page of ours that browsers run: a folder of src that nothing imports, bundled when it is first asked for. */
export interface Face {
  /** Its folder in src, and its name in addresses. */
  readonly name: string;
  /** What browsers begin with, by its name there: a file of the folder, or a module of a package. `main` is the page’s. */
  readonly entries: Readonly<Record<'main' | (string & {}), string>>;
  /** Modules of packages that others stand in for. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** How many bytes of a file are worth the best compression; half a megabyte when absent. */
  readonly bestBytes?: number;
}

/** Where a browser finds what an entry became. */
export interface BundledEntry {
  readonly script: string;
  /** The styles that it imports, if any. */
  readonly style: string | null;
}

/** A face as it is served. */
export interface Bundle {
  readonly entries: Readonly<Record<string, BundledEntry>>;
  /** Every file by its path in addresses; there is nothing else to be had. */
  readonly files: ReadonlyMap<string, KeptBody>;
}

/** Where the files of all faces are, by the name of the face and then their own, which holds a hash of what is in them. */
export const ASSETS = '/assets/';

const HOUSE = join(import.meta.dirname, '../..');

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.woff2': 'font/woff2',
};

/** How many bundles are being made: esbuild’s process serves all of them, and is ended behind the last. */
let underWay = 0;

/**
 * Bundles a face in memory. The same source makes the same names, in whatever folder and process.
 * @throws what esbuild says of code that cannot be bundled
 */
export async function bundleFace(face: Face): Promise<Bundle> {
  const esbuild = await import('esbuild');
  underWay += 1;
  try {
    const result = await esbuild.build(optionsOf(face));
    return readBundle(face, result);
  } finally {
    underWay -= 1;
    if (underWay === 0) await esbuild.stop();
  }
}

type Options = BuildOptions & { readonly metafile: true; readonly write: false };

function optionsOf({ name, entries, aliases = {} }: Face): Options {
  return {
    // names and their hashes depend on paths from here alone
    absWorkingDir: HOUSE,
    entryPoints: Object.entries(entries).map(([out, path]) => ({ in: moduleOf(name, path), out })),
    outdir: join(HOUSE, ASSETS, name),
    publicPath: `${ASSETS}${name}/`,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: ['es2022'],
    // by which esbuild also takes libraries for production's
    minify: true,
    write: false,
    metafile: true,
    // the licences of what is bundled ask for their words
    legalComments: 'eof',
    charset: 'utf8',
    logLevel: 'silent',
    alias: { ...aliases },
    loader: { '.ttf': 'file', '.woff2': 'file', '.svg': 'file' },
  };
}

function moduleOf(name: string, path: string): string {
  return path.startsWith('./') ? join(HOUSE, 'src', name, path) : path;
}

function readBundle({ name, entries, bestBytes }: Face, { outputFiles, metafile }: BuildResult<Options>): Bundle {
  const files = new Map(outputFiles.map((file) => [addressOf(name, file.path), keepFile(file, bestBytes)]));
  return { files, entries: findEntries(name, entries, metafile) };
}

function addressOf(name: string, path: string): string {
  return `${ASSETS}${name}/${basename(path)}`;
}

function keepFile({ path, contents }: OutputFile, bestBytes: number | undefined): KeptBody {
  return keepBody(Buffer.from(contents), TYPES[extname(path)] ?? 'application/octet-stream', bestBytes);
}

function findEntries(name: string, entries: Face['entries'], { outputs }: Metafile): Bundle['entries'] {
  const scripts = Object.entries(outputs).filter(([path, { entryPoint }]) => entryPoint && path.endsWith('.js'));
  return Object.fromEntries(
    Object.keys(entries).map((entry) => {
      const found = scripts.find(([path]) => basename(path).replace(/-[^-]*$/, '') === entry);
      if (!found) throw new Error(`The face ${name} has no ${entry} among what was bundled.`);
      const [path, { cssBundle }] = found;
      return [entry, { script: addressOf(name, path), style: cssBundle ? addressOf(name, cssBundle) : null }];
    }),
  );
}
