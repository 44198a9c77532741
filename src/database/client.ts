import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from './generated/client.ts';
import type { ScenePool } from './pool.ts';
import { currentScene } from './scene.ts';

/** Prisma's client over a pool that enters the current scene with every statement. */
export function createClient(pool: ScenePool): PrismaClient {
  // The adapter knows a plain pool of `pg` by its class; ours answers the two calls that it makes.
  const adapter = new PrismaPg(pool as never);
  const client = new PrismaClient({ adapter, errorFormat: 'minimal' });
  separateLoaders(client);
  return client;
}

interface Loader {
  readonly options: { singleLoader(request: unknown): unknown; batchBy(request: unknown): unknown };
  request(request: unknown): unknown;
}

/**
 * Gives every scene a loader of its own.
 *
 * Prisma has one loader a client: what `findUnique` and `$transaction([…])` ask for in one tick is collected and sent
 * by whoever came first. With the scene taken from the asynchronous context, the second tenant of a tick would read as
 * the first; and what has a place in a packet has a scene of its own. Should Prisma's internals no longer be the ones this was written for, the gateway does not start.
 */
export function separateLoaders(client: object): void {
  const handler = (client as { _requestHandler?: { dataloader?: Loader } })._requestHandler;
  const shared = handler?.dataloader;
  if (!handler || typeof shared?.options?.batchBy !== 'function' || typeof shared.request !== 'function') {
    throw new Error('Prisma’s internals are not the ones this gateway was written for; it refuses to run on them.');
  }
  const LoaderOfScene = shared.constructor as new (options: Loader['options']) => Loader;
  const loaders = new WeakMap<object, Loader>();
  handler.dataloader = {
    options: shared.options,
    request(request: unknown): unknown {
      const scene = currentScene.getStore();
      if (!scene) return shared.options.singleLoader(request);
      let loader = loaders.get(scene);
      if (!loader) {
        loader = new LoaderOfScene(shared.options);
        loaders.set(scene, loader);
      }
      return loader.request(request);
    },
  };
}

export { PrismaClient };
