import type { ComponentChildren, JSX } from 'preact';
import type { Words } from './words.ts';

/** All that there is to say, where nothing can be paid. */
export function Notice(said: {
  readonly words: Words;
  /** Whether looking again may help. */
  readonly again?: boolean;
  readonly children?: ComponentChildren;
}): JSX.Element {
  const { words, again = false, children } = said;
  return (
    <section class="card">
      <h1>{words.title}</h1>
      <p>{words.text}</p>
      {children}
      {again && (
        <button type="button" onClick={() => location.reload()}>
          Try again
        </button>
      )}
    </section>
  );
}

/** What has just gone wrong; read out at once. */
export function Fault({ text }: { readonly text: string | null }): JSX.Element {
  return (
    <div role="alert" class={text === null ? undefined : 'fault'}>
      {text}
    </div>
  );
}
