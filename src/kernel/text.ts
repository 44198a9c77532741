import { kernelErrors } from './errors.ts';

/**
 * Text from people: trimmed, without NUL, and of a length that the column takes.
 * @param field the input's name, for the error
 * @throws BAD_USER_INPUT when it is empty where it must not be, or too long
 */
export function cleanText(text: string, field: string, { min = 1, max }: { min?: number; max: number }): string {
  const clean = text.trim();
  const length = [...clean].length;
  if (length < min || length > max || clean.includes('\0')) {
    throw kernelErrors.BAD_USER_INPUT({ field, expected: `${min} to ${max} characters`, actual: length });
  }
  return clean;
}
