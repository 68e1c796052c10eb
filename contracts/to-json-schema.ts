import { z } from 'zod';
import type { Contract } from './contract.ts';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** `urn:sluice:contract:<name>:<major>`: a name that stays the same as long as whoever wrote by it is understood. */
export function contractId({ name, version }: Pick<Contract, 'name' | 'version'>): string {
  return `urn:sluice:contract:${name}:${version.split('.')[0]}`;
}

/** A contract as JSON Schema 2020-12. It refers to no other document. */
export function toJsonSchema(contract: Contract): JsonSchema {
  const { title, version, description, schema, fields = {}, examples } = contract;
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'input',
    override({ jsonSchema }) {
      for (const [name, property] of Object.entries(jsonSchema.properties ?? {})) {
        const text = fields[name];
        if (typeof property === 'object' && text !== undefined) property.description ??= text;
      }
      // zod takes a tuple for one of just these items.
      if (jsonSchema.prefixItems !== undefined && jsonSchema.items === undefined)
        Object.assign(jsonSchema, { minItems: jsonSchema.prefixItems.length, items: false });
    },
  });
  return {
    ...($schema === undefined ? {} : { $schema }),
    $id: contractId(contract),
    $comment: `version ${version}`,
    title,
    description,
    ...rest,
    examples: [...examples],
  };
}

/** A schema without anything that would name it, as a part of another document. */
export function toPlainSchema(schema: z.ZodType): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });
  return rest;
}
