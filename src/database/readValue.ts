import { Prisma } from './generated/client.ts';

/** Turns a value out of JSON into what Prisma answers for it; null stays null. */
export type Decode = (json: never) => unknown;

type DecodeAny = (json: unknown) => unknown;

const BY_TYPE: Readonly<Record<string, Decode>> = {
  BigInt: (text: string) => BigInt(text),
  Bytes: (hex: string) => new Uint8Array(Buffer.from(hex, 'hex')),
  DateTime: (text: string) => new Date(text),
  Decimal: (text: string) => new Prisma.Decimal(text),
};

/** What a value of this type needs; null for what JSON says as it is. */
export function decoderOf(type: string): Decode | null {
  return BY_TYPE[type] ?? null;
}

/** Decodes the fields that need it, in the object that was parsed. */
export function decodeFields(decoders: readonly (readonly [name: string, decode: Decode])[]): Decode {
  return (row: Record<string, unknown>) => {
    for (const [name, decode] of decoders) {
      const value = row[name];
      if (value !== null) row[name] = (decode as DecodeAny)(value);
    }
    return row;
  };
}

/** Decodes each of a list. */
export function decodeEach(decode: Decode | null): Decode {
  return (rows: unknown[]) => {
    if (decode) for (const [index, row] of rows.entries()) if (row !== null) rows[index] = (decode as DecodeAny)(row);
    return rows;
  };
}
