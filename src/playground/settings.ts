/** A wallet of the demo, whose key everybody knows. */
export interface DemoWallet {
  readonly name: string;
  /** What they are in the demo. */
  readonly part: string;
  readonly address: `0x${string}`;
  readonly privateKey: `0x${string}`;
}

/** What the gateway tells the page. */
export interface Settings {
  /** Where each kind of worker’s script is. */
  readonly workers: { readonly editor: string; readonly graphql: string; readonly json: string };
  /** Wallets that a newcomer may be; none but on a checkout’s own database and chain. */
  readonly demoWallets: readonly DemoWallet[];
  /** An asset that a payment link may ask for, by its CAIP-19 name; null where no payments are taken. */
  readonly asset: string | null;
}

/** Reads what the gateway has written into the page. */
export function readSettings(root: HTMLElement): Settings {
  return JSON.parse(root.dataset.settings ?? '') as Settings;
}
