import { builder } from '../../graphql/builder.ts';
import { type CheckoutTheme, readTheme } from '../model/theme.ts';
import { CheckoutRef } from './checkout.ts';

const CheckoutFontType = builder.enumType('CheckoutFont', {
  description: 'A font that a page has without loading any.',
  values: {
    SYSTEM: { description: 'What the payer’s system is written in.' },
    SERIF: { description: 'One with serifs.' },
    ROUNDED: { description: 'A rounded one.' },
    MONOSPACE: { description: 'One whose letters are equally wide.' },
  } as const,
});

const CheckoutThemeRef = builder.objectRef<CheckoutTheme>('CheckoutTheme').implement({
  description:
    'How a merchant’s checkout looks: what the theme of the store configuration says under these names, as far as it can ' +
    'be shown; null where it says nothing, or something else.',
  fields: (t) => ({
    accent: t.exposeString('accent', { nullable: true, description: 'The colour of what is pressed, as `#rrggbb`.' }),
    background: t.exposeString('background', {
      nullable: true,
      description: 'The colour behind everything, as `#rrggbb`.',
    }),
    font: t.expose('font', { type: CheckoutFontType, nullable: true, description: 'The font.' }),
    logo: t.exposeString('logo', {
      nullable: true,
      description: 'A picture: an https URL, or a `data:` URL of a PNG, JPEG, WebP, GIF or SVG.',
    }),
  }),
});

builder.prismaObjectField(CheckoutRef, 'theme', (t) =>
  t.field({
    type: CheckoutThemeRef,
    description: 'How the merchant’s checkout looks.',
    select: { organization: { select: { storeConfiguration: { select: { theme: true } } } } },
    resolve: ({ organization }) => readTheme((organization.storeConfiguration?.theme ?? {}) as Record<string, unknown>),
  }),
);
