import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import helper, { type DMMF } from '@prisma/generator-helper';

// Writes what the one-statement reader must know of the models: tables, columns, and what joins them.

function column({ name, dbName, type, isList }: DMMF.Field): string {
  const list = isList ? ', list: true' : '';
  return `      ${name}: { column: '${dbName ?? name}', type: '${type}'${list} },`;
}

function relation(field: DMMF.Field, model: DMMF.Model, models: readonly DMMF.Model[]): string {
  const other = models.find(({ name }) => name === field.type);
  const back = other?.fields.find((each) => each.relationName === field.relationName && each !== field);
  const owner = field.relationFromFields?.length ? field : back;
  if (!other || !owner) throw new Error(`${model.name}.${field.name} leads nowhere.`);
  const [from = [], to = []] =
    owner === field
      ? [owner.relationFromFields, owner.relationToFields]
      : [owner.relationToFields, owner.relationFromFields];
  const columns = (names: readonly string[], of: DMMF.Model): string =>
    names.map((name) => `'${of.fields.find((each) => each.name === name)?.dbName ?? name}'`).join(', ');
  const list = field.isList ? ', list: true' : '';
  return `      ${field.name}: { model: '${other.name}', from: [${columns(from, model)}], to: [${columns(to, other)}]${list} },`;
}

function table(model: DMMF.Model, models: readonly DMMF.Model[]): string {
  const supported = model.fields.filter(({ kind }) => kind === 'scalar' || kind === 'enum');
  const relations = model.fields.filter(({ kind }) => kind === 'object');
  const keys = [
    ...(model.primaryKey ? [model.primaryKey.fields] : []),
    ...model.uniqueFields,
    ...model.fields.filter(({ isId, isUnique }) => isId || isUnique).map(({ name }) => [name]),
  ];
  return [
    `  ${model.name}: {`,
    `    name: '${model.dbName ?? model.name}',`,
    '    columns: {',
    ...supported.map(column),
    '    },',
    '    relations: {',
    ...relations.map((field) => relation(field, model, models)),
    '    },',
    `    keys: {`,
    ...keys.map((fields) => `      ${fields.join('_')}: [${fields.map((name) => `'${name}'`).join(', ')}],`),
    '    },',
    '  },',
  ].join('\n');
}

helper.generatorHandler({
  onManifest: () => ({ prettyName: 'tables of the reader', defaultOutput: '../src/database/generated' }),
  async onGenerate({ dmmf, generator }) {
    const { models } = dmmf.datamodel;
    const text = [
      '/* Written by prisma/tablesGenerator.ts. Do not edit. */',
      "import type { Table } from '../tables.ts';",
      '',
      '/** The tables that Prisma’s models stand for, by model. */',
      'export const TABLES: Readonly<Record<string, Table>> = {',
      ...models.map((model) => table(model, models)),
      '};',
      '',
    ].join('\n');
    writeFileSync(join(generator.output?.value ?? '', 'tables.ts'), text);
  },
});
