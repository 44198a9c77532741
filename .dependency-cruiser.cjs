// The law of dependency: a folder imports from its left, or from itself. One list, one row a floor.
const floors = [
  ['client/'],
  ['kernel/'],
  ['local/'],
  ['database/'],
  ['ports.ts'],
  ['context.ts'],
  ['graphql/'],
  ['idempotency/'],
  ['events/'],
  ['identity/'],
  ['tenancy/'],
  ['audit/'],
  ['chain/'],
  ['payments/'],
  ['webhooks/'],
  ['gateway/'],
  ['worker.ts'],
  ['demo.ts', 'development.ts'],
  ['showcase.ts', 'showcaseLinks.ts', 'showcaseMoney.ts'],
  ['tollhouse.ts'],
  ['main.ts', 'operator.ts', 'seed.ts'],
];

// What browsers run: each is bundled by gateway/ by its path, and stands on no floor.
const faces = '^src/(checkout|playground)/';

const pattern = (rooms) =>
  `^src/(${rooms.map((room) => (room.endsWith('/') ? room : `${room.replace('.', '\\.')}$`)).join('|')})`;

const upward = floors.slice(0, -1).map((rooms, index) => ({
  name: `${rooms.join(', ')} below ${floors[index + 1].join(', ')}`,
  comment: `src/${rooms.join(', ')} imports only from its left: ${floors.slice(0, index).flat().join(' < ') || 'nothing'}.`,
  severity: 'error',
  from: { path: pattern(rooms) },
  to: { path: pattern(floors.slice(index + 1).flat()) },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...upward,
    {
      name: 'every room has its floor',
      comment: 'A new folder or file at the top of src needs a place in the list of floors.',
      severity: 'error',
      from: { path: '^src/', pathNot: [pattern(floors.flat()), faces, '^src/environment\\.ts$'] },
      to: {},
    },
    {
      name: 'a face is served, not imported',
      comment: 'Browsers run it; the gateway bundles it by its path.',
      severity: 'error',
      from: { path: '^(src|bench|examples|prisma)/', pathNot: faces },
      to: { path: faces },
    },
    {
      name: 'a face knows itself and the client',
      comment: 'Nothing of the server reaches a browser: a face imports its own folder and src/client/.',
      severity: 'error',
      from: { path: faces },
      to: { path: '^src/', pathNot: ['^src/$1/', '^src/client/'] },
    },
    {
      name: 'browsers have nothing of Node',
      comment: 'The client and the faces run in browsers: no module of Node.',
      severity: 'error',
      from: { path: `^src/client/|${faces}` },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no cycle',
      comment: 'Two files that import each other are one file, or three.',
      severity: 'error',
      from: { pathNot: '/generated/' },
      to: { circular: true },
    },
    {
      name: 'the environment is read at the entrance',
      comment:
        'Only the entrances parse the environment; what is below names its types and gets the rest handed to it.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: '^src/(main|worker|operator|seed|database/command|audit/command|payments/command)\\.ts$',
      },
      to: { path: '^src/environment\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'the environment knows plain words alone',
      comment: 'environment.ts imports from kernel/ and nothing else of ours.',
      severity: 'error',
      from: { path: '^src/environment\\.ts$' },
      to: { path: '^src/', pathNot: '^src/kernel/' },
    },
    {
      name: 'the finished schema belongs to the front door',
      comment:
        'gateway/schema.ts is for gateway/ and for the tools that print it; import a type from its domain instead.',
      severity: 'error',
      from: { pathNot: '^(src/gateway/|src/tollhouse\\.ts$|\\.ci/)' },
      to: { path: '^src/gateway/schema\\.ts$' },
    },
    {
      name: 'the house stands without its scaffolding',
      comment: 'Nothing in src needs a test, a benchmark, an example or a tool.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|examples|\\.ci|codegen\\.ts|[^/]+\\.config\\.ts)' },
    },
    {
      name: 'the seed is sown at the entrance',
      comment: 'prisma/ holds the models and the seed; main.ts alone may sow it.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/main\\.ts$' },
      to: { path: '^prisma/' },
    },
    {
      name: 'the house stands on its own dependencies',
      comment: 'npm start works after npm ci --omit=dev, so src and the seed import no development dependency.',
      severity: 'error',
      from: { path: '^(src/|prisma/seed)' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'every import leads somewhere',
      comment: 'The file or package that is imported does not exist, or is not installed.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // these have dependencies of their own, installed by whoever needs them
    exclude: { path: '^bench/peers/|^examples/(dapp|thirdweb)/(src/|dist/|vite)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types', 'require'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.cjs', '.json'],
    },
  },
};
