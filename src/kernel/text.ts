import { kernelErrors } from './errors.ts';

/** Control characters: they are seen nowhere, and act on terminals, logs and mails. */
const CONTROL = /\p{Cc}/u;
const CONTROL_BUT_BREAKS = /(?![\t\n\r])\p{Cc}/u;
const LINE_SEPARATOR = /[\u2028\u2029]/u;
/** Characters that turn the direction of what follows, so that a text shows something else than it says. */
const TURNS_DIRECTION = /[\u202a-\u202e\u2066-\u2069]/u;
/** Letters, digits and signs that leave ink: fillers count as letters, and the empty braille cell as a sign. */
const VISIBLE = /(?![\u2800\p{Default_Ignorable_Code_Point}])[\p{L}\p{N}\p{P}\p{S}]/u;

/**
 * Text from people: trimmed, of a length that the column takes, with something to see in it and nothing that hides.
 * @param field the input's name, for the error
 * @param multiline whether it may have line breaks and tabs
 * @throws BAD_USER_INPUT when it is empty where it must not be, too long, or not what it seems
 */
export function cleanText(
  text: string,
  field: string,
  { min = 1, max, multiline = false }: { min?: number; max: number; multiline?: boolean },
): string {
  const clean = text.trim();
  const length = [...clean].length;
  if (length < min || length > max) {
    throw kernelErrors.BAD_USER_INPUT({ field, expected: `${min} to ${max} characters`, actual: length });
  }
  const expected = faultOf(clean, multiline);
  if (expected !== null) throw kernelErrors.BAD_USER_INPUT({ field, expected });
  return clean;
}

/** What is asked of a text that it does not keep to, or null. */
function faultOf(text: string, multiline: boolean): string | null {
  if (multiline ? CONTROL_BUT_BREAKS.test(text) : CONTROL.test(text) || LINE_SEPARATOR.test(text)) {
    return multiline ? 'no control characters but line breaks and tabs' : 'one line without control characters';
  }
  if (TURNS_DIRECTION.test(text)) return 'no characters that turn the direction of the text';
  return text === '' || VISIBLE.test(text) ? null : 'at least one character that can be seen';
}
