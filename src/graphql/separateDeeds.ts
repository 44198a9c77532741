import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core';

declare global {
  namespace PothosSchemaTypes {
    interface Plugins<Types extends SchemaTypes> {
      separateDeeds: SeparateDeedsPlugin<Types>;
    }
  }
}

/**
 * Makes every mutation field nullable: of several deeds in one request the one that fails is null, and the others still
 * say what they did. Were they not, one failure would hide all of them, and whoever tried again would do them twice.
 */
class SeparateDeedsPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override onOutputFieldConfig(field: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    return field.parentType === 'Mutation' ? { ...field, type: { ...field.type, nullable: true } } : field;
  }
}

SchemaBuilder.registerPlugin('separateDeeds', SeparateDeedsPlugin);

/** For the builder's list of plugins. */
export const separateDeeds = 'separateDeeds';
