/** How a merchant's checkout looks, as far as the store's theme says something that may be shown. */
export interface CheckoutTheme {
  /** The colour of what is pressed, as `#rrggbb`. */
  readonly accent: string | null;
  /** The colour behind everything, as `#rrggbb`. */
  readonly background: string | null;
  readonly font: CheckoutFont | null;
  /** A picture: an https URL, or a `data:` URL of a PNG, JPEG, WebP, GIF or SVG. */
  readonly logo: string | null;
}

/** The fonts that a page has without loading any. */
export const CHECKOUT_FONTS = ['SYSTEM', 'SERIF', 'ROUNDED', 'MONOSPACE'] as const;

/** A font that a page has without loading any. */
export type CheckoutFont = (typeof CHECKOUT_FONTS)[number];

const COLOUR = /^#[0-9a-f]{6}$/i;
const SHORT_COLOUR = /^#[0-9a-f]{3}$/i;
const PICTURE = /^data:image\/(png|jpeg|webp|gif|svg\+xml)[;,][!-~]+$/;

/**
 * Reads a store's theme, whose keys mean something else to other front ends: what is no colour, font of the list or
 * picture is as if it were not there. Nothing of it is ever a style or an address as it stands.
 */
export function readTheme(theme: Readonly<Record<string, unknown>>): CheckoutTheme {
  const font = typeof theme.font === 'string' ? theme.font.toUpperCase() : null;
  return {
    accent: readColour(theme.accent),
    background: readColour(theme.background),
    font: CHECKOUT_FONTS.find((known) => known === font) ?? null,
    logo: readPicture(theme.logo),
  };
}

function readColour(given: unknown): string | null {
  if (typeof given !== 'string') return null;
  if (SHORT_COLOUR.test(given)) return `#${[...given.slice(1)].map((digit) => digit + digit).join('')}`.toLowerCase();
  return COLOUR.test(given) ? given.toLowerCase() : null;
}

function readPicture(given: unknown): string | null {
  if (typeof given !== 'string') return null;
  if (PICTURE.test(given)) return given;
  if (!/^https:\/\//i.test(given) || !URL.canParse(given)) return null;
  const { protocol, username, password, href } = new URL(given);
  return protocol === 'https:' && username === '' && password === '' ? href : null;
}
