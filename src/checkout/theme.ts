import type { Link } from './api.ts';
import { readableOn } from './colours.ts';

const FONTS: Readonly<Record<NonNullable<Link['theme']['font']>, string>> = {
  SYSTEM: 'system-ui, sans-serif',
  SERIF: 'ui-serif, Georgia, "Times New Roman", serif',
  ROUNDED: 'ui-rounded, "SF Pro Rounded", "Arial Rounded MT Bold", system-ui, sans-serif',
  MONOSPACE: 'ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace',
};

/**
 * Gives the page the merchant’s colours and font. What is written on a colour is black or white, whichever can be read, so
 * that no theme makes the page unreadable.
 */
export function applyTheme({ accent, background, font }: Link['theme']): void {
  const root = document.documentElement;
  const set = (name: string, value: string): void => root.style.setProperty(name, value);
  if (accent) {
    set('--accent', accent);
    set('--on-accent', readableOn(accent));
  }
  if (background) {
    const text = readableOn(background);
    set('--background', background);
    set('--surface', background);
    set('--text', text);
    set('--quiet', text);
    set('--warning', text);
    root.style.colorScheme = text === '#ffffff' ? 'dark' : 'light';
  }
  if (font) set('--font', FONTS[font]);
}
