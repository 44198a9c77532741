import type { JSX } from 'preact';
import type { Field } from './api.ts';

/** What a payer has said, by the keys of what was asked. */
export type Said = Readonly<Record<string, string | boolean>>;

/** What the merchant wants to know of a payer. */
export function Fields({
  fields,
  by,
  said,
  onSay,
}: {
  readonly fields: readonly Field[];
  /** Who asks. */
  readonly by: string;
  readonly said: Said;
  readonly onSay: (said: Said) => void;
}): JSX.Element | null {
  if (fields.length === 0) return null;
  return (
    <>
      <p class="quiet">
        {by} asks this. No merchant needs the secret words or the keys of a wallet: type them nowhere.
      </p>
      {fields.map((field) => (
        <Asked
          key={field.key}
          field={field}
          value={said[field.key]}
          onSay={(value) => onSay({ ...said, [field.key]: value })}
        />
      ))}
    </>
  );
}

interface Asking {
  readonly field: Field;
  readonly value: string | boolean | undefined;
  readonly onSay: (value: string | boolean) => void;
}

function Asked({ field, value, onSay }: Asking): JSX.Element {
  const { key, label, type, required, maxLength } = field;
  const id = `field-${key}`;
  if (type === 'BOOLEAN') {
    return (
      <div class="field check">
        <input
          id={id}
          type="checkbox"
          required={required}
          checked={value === true}
          onChange={(event) => onSay(event.currentTarget.checked)}
        />
        <label for={id}>{label}</label>
      </div>
    );
  }
  const text = typeof value === 'string' ? value : '';
  return (
    <div class="field">
      <label for={id}>
        {label}
        {!required && <span class="quiet"> (if you like)</span>}
      </label>
      {type === 'SELECT' ? (
        <select id={id} required={required} value={text} onChange={(event) => onSay(event.currentTarget.value)}>
          <option value="">Choose</option>
          {field.options.map((option) => (
            <option key={option}>{option}</option>
          ))}
        </select>
      ) : (
        <input
          id={id}
          type="text"
          inputMode={type === 'NUMBER' ? 'decimal' : type === 'EMAIL' ? 'email' : 'text'}
          autocomplete={type === 'EMAIL' ? 'email' : 'on'}
          required={required}
          maxLength={maxLength ?? undefined}
          value={text}
          onInput={(event) => onSay(event.currentTarget.value)}
        />
      )}
    </div>
  );
}

/** What was said, as the API takes it: what was left empty was not said. */
export function collect(fields: readonly Field[], said: Said): Record<string, string | boolean> {
  return Object.fromEntries(
    fields.flatMap(({ key, type }): [string, string | boolean][] => {
      const value = said[key];
      if (type === 'BOOLEAN') return [[key, value === true]];
      const text = typeof value === 'string' ? value.trim() : '';
      return text === '' ? [] : [[key, text]];
    }),
  );
}
