import type { Page } from 'playwright-core';

/** The editors of GraphiQL, by the texts that they hold. */
export type EditorText = 'operation.graphql' | 'variables.json' | 'request-headers.json' | 'response.json';

interface Model {
  readonly uri: { readonly path: string };
  getValue(): string;
  setValue(text: string): void;
}

/** What GraphiQL leaves in the page for whoever wants to reach its editors. */
interface Edited {
  readonly __MONACO: { readonly editor: { getModels(): readonly Model[] } };
}

/** Reads the whole of a text, of which the page shows only the lines that are in sight. */
function readText(page: Page, name: EditorText): Promise<string> {
  return page.evaluate((ending) => {
    const { editor } = (globalThis as unknown as Edited).__MONACO;
    return (
      editor
        .getModels()
        .find(({ uri }) => uri.path.endsWith(ending))
        ?.getValue() ?? ''
    );
  }, name);
}

/** Writes a text in the place of the one that is there. */
export function writeText(page: Page, name: EditorText, text: string): Promise<void> {
  return page.evaluate(
    ([ending, written]) => {
      const { editor } = (globalThis as unknown as Edited).__MONACO;
      editor
        .getModels()
        .find(({ uri }) => uri.path.endsWith(ending))
        ?.setValue(written);
    },
    [name, text] as const,
  );
}

/** What GraphiQL shows of an answer. */
export interface Shown {
  readonly data?: Record<string, never> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: { readonly code?: string; readonly docs?: string };
  }[];
}

/** Runs the operation, and reads its answer. */
export async function run(page: Page): Promise<Shown> {
  await writeText(page, 'response.json', '');
  await page.getByRole('button', { name: /^Execute query/ }).click();
  return readAnswer(page, '');
}

/** Waits until a text holds another one. */
export async function holds(page: Page, name: EditorText, expected: string): Promise<void> {
  await page.waitForFunction(
    ([ending, part]) => {
      const { editor } = (globalThis as unknown as Edited).__MONACO;
      const model = editor.getModels().find(({ uri }) => uri.path.endsWith(ending));
      return model?.getValue().includes(part);
    },
    [name, expected] as const,
  );
}

/** Waits for an answer that holds a text. */
export async function readAnswer(page: Page, expected: string): Promise<Shown> {
  // what is not formatted is none, but the emptiness before it
  await holds(page, 'response.json', '{\n');
  await holds(page, 'response.json', expected);
  return JSON.parse(await readText(page, 'response.json'));
}

/** Goes to a tab by its operation’s name. */
export async function turnTo(page: Page, operation: string): Promise<void> {
  await page.getByRole('tab', { name: operation, exact: true }).click();
  await holds(page, 'operation.graphql', ` ${operation}`);
}
