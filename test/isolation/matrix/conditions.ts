/** A condition with a part of it left out. */
export interface Weakened {
  /** The part. */
  readonly without: string;
  readonly expression: string;
}

/**
 * Every way to leave out one part of a condition: one side of an `and` or an `or` at any depth, what one arm of a
 * `case` asks, or all of it.
 * @param expression as PostgreSQL prints it, with brackets around every part
 */
export function weaken(expression: string): readonly Weakened[] {
  const weakened: Weakened[] = expression.trim() === 'true' ? [] : [{ without: 'all', expression: 'true' }];
  for (const [start, end] of groupsOf(expression)) {
    const inside = expression.slice(start, end);
    const replaced = (without: string, content: string): Weakened => ({
      without: without.replace(/\s+/g, ' '),
      expression: expression.slice(0, start) + content + expression.slice(end),
    });
    for (const word of ['AND', 'OR']) {
      const parts = split(inside, word);
      if (parts.length < 2) continue;
      weakened.push(
        ...parts.map((part, index) => replaced(part, parts.filter((_, other) => other !== index).join(` ${word} `))),
      );
    }
    for (const [arm, asked = ''] of inside.matchAll(/ THEN (.+?)\s+(?=WHEN|ELSE|END)/g)) {
      if (depthAt(inside, inside.indexOf(arm)) === 0)
        weakened.push(replaced(asked, inside.replace(arm, ' THEN true\n')));
    }
  }
  return weakened;
}

/** Where the contents of each pair of brackets begin and end. */
function groupsOf(text: string): [start: number, end: number][] {
  const groups: [number, number][] = [];
  const open: number[] = [];
  for (const [index, character] of unquoted(text)) {
    if (character === '(') open.push(index + 1);
    if (character === ')') groups.push([open.pop() ?? 0, index]);
  }
  return groups;
}

/** The parts between a word that stands outside of all brackets and of every `case`. */
function split(text: string, word: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (const { index, 0: found } of text.matchAll(new RegExp(`\\s${word}\\s`, 'g'))) {
    if (depthAt(text, index) > 0) continue;
    parts.push(text.slice(start, index));
    start = index + found.length;
  }
  return [...parts, text.slice(start)];
}

/** How many brackets, quotes and `case`s are open at a place. */
function depthAt(text: string, place: number): number {
  const before = text.slice(0, place);
  const quotes = before.split("'").length - 1;
  let depth = quotes % 2;
  for (const [, character] of unquoted(before)) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
  }
  return depth;
}

function* unquoted(text: string): Generator<[index: number, character: string]> {
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character === "'") quoted = !quoted;
    if (!quoted) yield [index, character];
  }
}
