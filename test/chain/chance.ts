import type { ScriptedChain } from './scriptedChain.ts';

/** How many of the newest blocks may be replaced, as long as the node has never called one of them final. */
export function changeable(node: ScriptedChain): number {
  const final = Math.max(finals.get(node) ?? 0, node.blocks.length - 1 - 8);
  finals.set(node, final);
  return node.blocks.length - 1 - final;
}

const finals = new WeakMap<ScriptedChain, number>();

/** Gives a node a fault of one call in so many, and now and then a head that is behind. */
export function disturb(node: ScriptedChain, below: (limit: number) => number, oneIn: number): void {
  node.lag = BigInt(Math.min(below(6) === 0 ? below(4) : 0, node.blocks.length - 1));
  node.fault = () => (below(oneIn) === 0 ? (below(2) === 0 ? 'fail' : 'null') : undefined);
}

/** Makes a node well again. */
export function calm(node: ScriptedChain): void {
  node.lag = 0n;
  node.fault = () => undefined;
}
