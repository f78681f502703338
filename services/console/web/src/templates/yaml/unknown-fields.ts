/** Fields of an object that its kind does not have: most often a slip of the hand. Pure. */
import { resolved, type Schema, type SchemaDocument } from './schema';

export interface UnknownField {
  path: (string | number)[];
  name: string;
}

export function unknownFields(
  document: SchemaDocument,
  schema: Schema | undefined,
  value: unknown,
  path: (string | number)[] = [],
): UnknownField[] {
  const known = resolved(document, schema);
  if (!known || known['x-kubernetes-preserve-unknown-fields']) return [];
  if (Array.isArray(value)) {
    return value.flatMap((each, index) => unknownFields(document, known.items, each, [...path, index]));
  }
  if (typeof value !== 'object' || value === null || !known.properties) return [];
  return Object.entries(value).flatMap(([name, each]) => {
    const property = known.properties?.[name];
    if (property) return unknownFields(document, property, each, [...path, name]);
    return known.additionalProperties ? [] : [{ path: [...path, name], name }];
  });
}
