/** What differs from one face's page to another's. */
interface FacePage {
  readonly title: string;
  /** The address of its sheet of styles; null where it has none. */
  readonly style: string | null;
  /** The address of its module. */
  readonly script: string;
  /** Where the module finds its place and what it is told, as HTML. */
  readonly root: string;
  /** What a person reads whose browser runs no scripts. */
  readonly withoutScripts: string;
}

/** The page that a face runs in, as a document of HTML. */
export function facePage({ title, style, script, root, withoutScripts }: FacePage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
${style === null ? '' : `<link rel="stylesheet" href="${style}">`}
<script type="module" src="${script}"></script>
</head>
<body>
${root}
<noscript><p>${withoutScripts}</p></noscript>
</body>
</html>
`;
}
