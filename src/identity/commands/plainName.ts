const LONGEST_NAME = 40;

/**
 * A name as it may stand in a mail: it is anybody's choice and goes to strangers, and without dots, slashes and colons it
 * carries no link.
 */
export function plainName(name: string): string {
  const plain = name
    .normalize('NFKC')
    .replace(/[^\p{L}\p{M}\p{N} -]+/gu, ' ')
    .replace(/ +/g, ' ')
    .trim();
  return [...plain].slice(0, LONGEST_NAME).join('').trim();
}
