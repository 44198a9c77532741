import type { Account } from './account.ts';

/**
 * Has the ready variables name whoever is signed in as who receives the money: nobody may have it sent to a wallet that
 * is not theirs. What somebody has written there themselves stays.
 * @param terms.written the texts that stand there without them
 */
export async function followPayee(
  account: Account,
  { variablesOf, written }: { readonly variablesOf: (payTo: string) => string; readonly written: readonly string[] },
): Promise<void> {
  // The one that GraphiQL loads as well, and as late.
  const { editor } = await import('monaco-graphql/esm/monaco-editor.js');
  const ours = new Set(written);
  const isOfVariables = (model: TextModel): boolean => model.uri.path.endsWith('variables.json');
  const settle = (model: TextModel): void => {
    const wallet = account.read().person?.wallet;
    if (!wallet || model.isDisposed()) return;
    const text = variablesOf(wallet);
    const found = model.getValue();
    if (found !== text && ours.has(found)) model.setValue(text);
    ours.add(text);
  };
  const follow = (model: TextModel): void => {
    if (!isOfVariables(model)) return;
    // A tab that somebody turns to is written as a whole; what they type is not.
    model.onDidChangeContent(({ isFlush }) => {
      if (isFlush) queueMicrotask(() => settle(model));
    });
    settle(model);
  };
  editor.getModels().forEach(follow);
  editor.onDidCreateModel(follow);
  account.subscribe(() => editor.getModels().filter(isOfVariables).forEach(settle));
}

/** A text of an editor, as far as it is one here. */
interface TextModel {
  readonly uri: { readonly path: string };
  getValue(): string;
  setValue(text: string): void;
  isDisposed(): boolean;
  onDidChangeContent(listener: (change: { readonly isFlush: boolean }) => void): unknown;
}
