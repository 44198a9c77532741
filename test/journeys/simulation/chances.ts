import { seeded } from '../../support/scale.ts';

/** Chance of its own for whoever has a name: what one draws does not depend on when the others do. */
export type Chances = (name: string) => () => number;

/** The chances of a seed, the same for each seed and name. */
export function chancesOf(seed: number): Chances {
  return (name) => {
    let mixed = seed;
    for (const letter of name) mixed = Math.imul(mixed ^ letter.charCodeAt(0), 0x01000193) ^ (mixed >>> 15);
    return seeded(mixed);
  };
}
