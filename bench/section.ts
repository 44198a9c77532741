import { readFile, writeFile } from 'node:fs/promises';

const RESULTS = new URL('RESULTS.md', import.meta.url);

/** Puts a section, from its first mark to its last, into RESULTS.md, in the place of the last one. */
export async function writeSection(
  section: string,
  marks: { readonly begin: string; readonly end: string },
): Promise<void> {
  const { begin, end } = marks;
  const text = await readFile(RESULTS, 'utf8');
  const [front = '', behind = ''] = text.includes(begin)
    ? [text.slice(0, text.indexOf(begin)), text.slice(text.indexOf(end) + end.length)]
    : [`${text.trimEnd()}\n\n`, '\n'];
  await writeFile(RESULTS, `${front}${section}${behind}`);
}
