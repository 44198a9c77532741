import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/**
 * What the page is about now.
 * @param given.reached whether somebody’s own doing has led here: then the focus, whose button is gone, goes to it
 */
export function Title({ text, reached }: { readonly text: string; readonly reached: boolean }): JSX.Element {
  const title = useRef<HTMLHeadingElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: where one comes from is known at the first moment alone
  useEffect(() => {
    if (reached) title.current?.focus();
  }, []);
  return (
    <h1 ref={title} tabIndex={-1}>
      {text}
    </h1>
  );
}
