// The state machine as docs/domains/payments.md shows it. Run by itself, it writes the page anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type ActiveCredit,
  type Assessment,
  assess,
  OPEN,
  type OrderException,
  type OrderStatus,
} from '../../src/payments/model.ts';

export const STATUSES: readonly OrderStatus[] = [
  'CREATED',
  'DETECTED',
  'CONFIRMING',
  'PAID',
  'FINAL',
  'EXPIRED',
  'CANCELED',
  'FAILED',
];

const DUE = 10n;
const HEAD = 100n;
const FINALIZED = 50n;
const EXPIRES = Date.UTC(2030, 0, 1);

const TOLERANCE = 1n;
const CREDITED = {
  nothing: [],
  'a part': [4n],
  'a part, which is accepted': [1n, 3n],
  'all but what is tolerated': [9n],
  'all of it': [10n],
  more: [7n, 8n],
} as const;
const DEPTHS = { 'not confirmed': HEAD, confirmed: HEAD - 1n, finalized: FINALIZED } as const;
const TIMES = { before: EXPIRES, after: EXPIRES + 1 } as const;

/** One line of the table: what has arrived, how deep it lies, and on which side of the deadline the chain was read. */
export interface Situation {
  readonly arrived: keyof typeof CREDITED;
  readonly depth: keyof typeof DEPTHS | '';
  readonly deadline: keyof typeof TIMES;
}

const keys = <Keys extends string>(of: Readonly<Record<Keys, unknown>>): Keys[] => Object.keys(of) as Keys[];

/** Every situation. */
export const SITUATIONS: readonly Situation[] = keys(CREDITED).flatMap((arrived) =>
  (arrived === 'nothing' ? ([''] as const) : keys(DEPTHS)).flatMap((depth) =>
    keys(TIMES).map((deadline) => ({ arrived, depth, deadline })),
  ),
);

/** What an order of this status is in this situation; two confirmations are asked for. */
export function judge(
  status: OrderStatus,
  { arrived, depth, deadline }: Situation,
  exceptions: readonly OrderException[] = [],
): Assessment {
  const blockNumber = depth === '' ? 0n : DEPTHS[depth];
  const credits: ActiveCredit[] = CREDITED[arrived].map((units) => ({ units, blockNumber }));
  return assess(
    {
      status,
      exceptions,
      due: DUE,
      tolerance: TOLERANCE,
      finality: { kind: 'CONFIRMATIONS', confirmations: 2 },
      underPolicy: arrived === 'a part, which is accepted' ? 'ACCEPT' : 'HOLD',
      expiresAt: new Date(EXPIRES),
    },
    credits,
    { head: HEAD, safe: FINALIZED, finalized: FINALIZED, caughtUpAt: new Date(TIMES[deadline]) },
  );
}

/** The table and the diagram, in Markdown. */
export function statesInMarkdown(): string {
  return `${table()}\n\n${diagram()}`;
}

/** The part of the page that is generated. */
export const MARKED = /(?<=<!-- states -->\n).*?(?=\n<!-- states -->)/s;

/** Where it stands. */
export const PAGE = join(import.meta.dirname, '../../docs/domains/payments.md');

function table(): string {
  const columns = columnsOfAlike();
  const rows = SITUATIONS.map((situation) => [
    situation.arrived,
    situation.depth,
    situation.deadline,
    ...columns.map(([status]) => cell(status, situation)),
  ]);
  const heads = ['arrived', 'its blocks', 'deadline', ...columns.map((statuses) => statuses.map(code).join(', '))];
  return [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Statuses that go the same way in every situation share a column. */
function columnsOfAlike(): [OrderStatus, ...OrderStatus[]][] {
  const columns = new Map<string, [OrderStatus, ...OrderStatus[]]>();
  for (const status of STATUSES) {
    const fate = SITUATIONS.map((situation) => cell(status, situation)).join();
    const column = columns.get(fate);
    if (column) column.push(status);
    else columns.set(fate, [status]);
  }
  return [...columns.values()];
}

function cell(status: OrderStatus, situation: Situation): string {
  const next = judge(status, situation);
  if (isEnded(status)) return 'stays';
  return [code(next.status), ...next.exceptions.map((exception) => `+ ${code(exception)}`)].join(' ');
}

function isEnded(status: OrderStatus): boolean {
  return SITUATIONS.every((situation) => judge(status, situation).status === status);
}

/** What somebody does, and no credit. */
const DEEDS = [
  '  CREATED --> CANCELED: called off',
  ...OPEN.map((status) => `  ${status} --> FAILED: the chain was reset`),
];

function diagram(): string {
  const arrows = STATUSES.flatMap((status) => {
    const following = new Set(SITUATIONS.map((situation) => judge(status, situation).status));
    return STATUSES.filter((next) => next !== status && following.has(next)).map((next) => `  ${status} --> ${next}`);
  });
  return ['```mermaid', 'stateDiagram-v2', '  [*] --> CREATED', ...arrows, ...DEEDS, '```'].join('\n');
}

function code(word: string): string {
  return `\`${word}\``;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(PAGE, readFileSync(PAGE, 'utf8').replace(MARKED, statesInMarkdown));
}
