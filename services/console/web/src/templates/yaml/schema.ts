/** The cluster's own description of its kinds (OpenAPI v3), as far as an editor needs it. */
import { queryOptions } from '@tanstack/react-query';
import { get } from '@/api/client';
import { queryClient } from '@/api/queries';

export interface Schema {
  type?: string;
  format?: string;
  description?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
  enum?: unknown[];
  required?: string[];
  default?: unknown;
  $ref?: string;
  allOf?: Schema[];
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
  'x-kubernetes-preserve-unknown-fields'?: boolean;
}

export interface SchemaDocument {
  components?: { schemas?: Record<string, Schema> };
}

const REFERENCE = '#/components/schemas/';

function documentQuery(apiVersion: string) {
  const path = apiVersion.includes('/') ? `apis/${apiVersion}` : `api/${apiVersion}`;
  return queryOptions({
    queryKey: ['openapi', apiVersion],
    queryFn: () => get<SchemaDocument>(`/openapi/v3/${path}`),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 10 * 60_000,
    retry: false,
  });
}

/** The schemas of an API group and version; empty where the cluster serves no such, or does not tell. */
export async function schemaDocument(apiVersion: string): Promise<SchemaDocument> {
  if (!apiVersion) return {};
  return queryClient.ensureQueryData(documentQuery(apiVersion)).catch(() => ({}));
}

/** The schema of a kind. */
export function rootSchema(document: SchemaDocument, apiVersion: string, kind: string): Schema | undefined {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  return Object.values(document.components?.schemas ?? {}).find((schema) =>
    schema['x-kubernetes-group-version-kind']?.some(
      (each) => each.group === group && each.version === version && each.kind === kind,
    ),
  );
}

/** The schema itself, where it only refers to another; with the description of whoever refers to it. */
export function resolved(
  document: SchemaDocument,
  schema: Schema | undefined,
  depth = 0,
): Schema | undefined {
  if (!schema || depth > 8) return schema;
  const reference = schema.$ref ?? schema.allOf?.find((each) => each.$ref)?.$ref;
  if (!reference) return schema;
  const target = document.components?.schemas?.[reference.slice(REFERENCE.length)];
  const found = resolved(document, target, depth + 1);
  return (
    found && {
      ...found,
      description: schema.description ?? found.description,
      default: schema.default ?? found.default,
    }
  );
}

/** The schema at a path of a kind, `[]` standing for an item. */
export function schemaAt(
  document: SchemaDocument,
  root: Schema | undefined,
  path: readonly string[],
): Schema | undefined {
  let schema = resolved(document, root);
  for (const key of path) {
    if (!schema) return undefined;
    const known: Schema | undefined = schema.properties?.[key];
    const other = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
    schema = resolved(document, key === '[]' ? schema.items : (known ?? other));
  }
  return schema;
}

/** The type in words: `array of string`, `int32`. */
export function typeName(document: SchemaDocument, schema: Schema | undefined): string {
  const found = resolved(document, schema);
  if (found?.type === 'array') return `array of ${typeName(document, found.items)}`;
  if (!found?.type) return found?.format ?? 'any';
  return found.format ?? found.type;
}
