import { type ReactNode, useId } from 'react';

/** One of several. */
export interface Choice {
  readonly id: string;
  readonly name: string;
  readonly icon?: string | null;
  /** What there is to say of it. */
  readonly about?: string;
  choose(): void;
}

/** A button that opens a list of choices. The browser itself closes it: by a choice, by Escape, by a click elsewhere. */
export function Menu({
  label,
  choices,
  none,
}: {
  readonly label: string;
  readonly choices: readonly Choice[];
  /** What is said when there is nothing to choose. */
  readonly none: string;
}): ReactNode {
  const list = useId();
  return (
    <>
      <button type="button" className="button" popoverTarget={list}>
        {label}
      </button>
      <div id={list} className="menu" popover="auto">
        {choices.length === 0 && <p>{none}</p>}
        {choices.map(({ id, name, icon, about, choose }) => (
          <button key={id} type="button" popoverTarget={list} popoverTargetAction="hide" onClick={choose}>
            {icon && <img src={icon} alt="" width={20} height={20} />}
            {name}
            {about !== undefined && <small>{about}</small>}
          </button>
        ))}
      </div>
    </>
  );
}
