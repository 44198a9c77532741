// Writes docs/permissions.md from the table of permissions, with the policies and the fields of the API that ask for
// each; a policy or a field that asks for one that the table has not is refused, and so is one that nothing asks for.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, isObjectType } from 'graphql';
import { PERMISSIONS, type PermissionDefinition, ROLES } from '../src/kernel/permissions.ts';

const target = 'docs/permissions.md';
const policies = 'prisma/policies';

/** Something that asks for a permission. */
interface Asker {
  readonly permission: string;
  readonly name: string;
}

/** Each policy that asks, as its verb and table. */
function policiesThatAsk(): Asker[] {
  const law = readdirSync(policies)
    .map((file) => readFileSync(join(policies, file), 'utf8'))
    .join('\n');
  return [...law.matchAll(/create policy \w+ on (\w+) for (\w+) to \w+([^;]*);/g)].flatMap(
    ([, table = '', verb = '', conditions = '']) =>
      [...conditions.matchAll(/has_permission\('([^']+)'\)/g)].map(([, permission = '']) => ({
        permission,
        name: `${verb} \`${table}\``,
      })),
  );
}

/** Each field whose description says that it needs a permission. */
function fieldsThatAsk(): Asker[] {
  const types = Object.values(buildSchema(readFileSync('schema.graphql', 'utf8')).getTypeMap());
  return types.filter(isObjectType).flatMap((type) =>
    Object.values(type.getFields()).flatMap((field) =>
      [...(field.description ?? '').matchAll(/the permission `([^`]+)`/g)].map(([, permission = '']) => ({
        permission,
        name: type.name === 'Mutation' ? `\`${field.name}\`` : `\`${type.name}.${field.name}\``,
      })),
    ),
  );
}

const definitions = Object.entries<PermissionDefinition>(PERMISSIONS);
const askers = { policies: policiesThatAsk(), fields: fieldsThatAsk() };

for (const { permission, name } of [...askers.policies, ...askers.fields]) {
  if (!(permission in PERMISSIONS)) throw new Error(`${name} asks for ${permission}, which no table of ours names.`);
}

function namesOf(kind: keyof typeof askers, permission: string): string {
  const names = askers[kind].filter((asker) => asker.permission === permission).map(({ name }) => name);
  if (kind === 'policies' && names.length === 0) throw new Error(`No policy asks for ${permission}.`);
  return [...new Set(names)].sort().join(', ') || '–';
}

function rowOf(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

const roles = definitions.map(([permission, definition]) =>
  rowOf([
    `\`${permission}\``,
    definition.means,
    ...ROLES.map((role) => (definition.roles.includes(role) ? '✓' : '')),
    (definition.needs ?? []).map((needed) => `\`${needed}\``).join(', '),
  ]),
);
const places = definitions.map(([permission]) =>
  rowOf([`\`${permission}\``, namesOf('policies', permission), namesOf('fields', permission)]),
);

writeFileSync(
  target,
  `# Permissions

What somebody may do in an organization is a list of permissions, \`<resource>:<read|write>\`. Entering a scene sets it for
one transaction, from the role of the membership; the tables' policies ask for it, so that no statement reads or writes
past it, whoever wrote it. Whoever gives a role must have all of its permissions.

A [custom role](domains/tenancy.md#custom-roles) is a set of these that an organization has named: whoever has one has
what it lists, and nothing of what \`MEMBER\` has besides. One to write comes with those to read that stand beside it
here. What is new is in no custom role until somebody adds it.

<!-- Written by .ci/permissions.ts from src/kernel/permissions.ts: change the table there, then run npm run generate. -->

| permission | whoever has it | ${ROLES.map((role) => `\`${role}\``).join(' | ')} | in a custom role beside |
| --- | --- |${' --- |'.repeat(ROLES.length + 1)}
${roles.join('\n')}

| permission | is asked for to | and named by |
| --- | --- | --- |
${places.join('\n')}
`,
);
console.log(`${definitions.length} permissions → ${target}`);
