/** How light a colour is to the eye, 0 to 1, as WCAG 2 counts it. */
export function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const part = Number.parseInt(colour.slice(start, start + 2), 16) / 255;
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Black or white, whichever can be read on a colour; one of them always can. */
export function readableOn(colour: string): '#000000' | '#ffffff' {
  return (luminance(colour) + 0.05) ** 2 > 1.05 * 0.05 ? '#000000' : '#ffffff';
}
