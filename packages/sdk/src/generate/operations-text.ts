/**
 * The table of operations, made from the OpenAPI document: where each is called, and what goes in and comes out of it by
 * the types that `openapi-ts` has made of the same document.
 */

/** The parts of the document that are looked at. */
export type OpenapiDocument = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId?: string }>>>>
}

type Operation = { readonly id: string; readonly method: string; readonly path: string }

const methods = new Set(['get', 'put', 'post', 'patch', 'delete'])

/** The source of `generated/operations.gen.ts`. */
export function operationsText(document: OpenapiDocument): string {
  const operations = operationsOf(document).toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const names = operations.flatMap(({ id }) => [`${typeName(id)}Data`, `${typeName(id)}Responses`])
  return [
    '// Made by src/generate/main.ts from docs/openapi.json. `pnpm run generate` makes it again.',
    `import type {\n${names.map((name) => `  ${name},\n`).join('')}} from './types.gen.ts'`,
    `export type Operations = {\n${operations.map(({ id }) => `  ${id}: { data: ${typeName(id)}Data; responses: ${typeName(id)}Responses }\n`).join('')}}`,
    `export const operations = {\n${operations.map(({ id, method, path }) => `  ${id}: { method: '${method}', path: '${path}' },\n`).join('')}} as const satisfies Record<keyof Operations, { method: string; path: string }>\n`,
  ].join('\n\n')
}

function operationsOf({ paths }: OpenapiDocument): Operation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => methods.has(method))
      .map(([method, { operationId }]) => {
        if (operationId === undefined) throw new Error(`${method} ${path} has no operationId`)
        return { id: operationId, method: method.toUpperCase(), path }
      }),
  )
}

/** As `openapi-ts` names types: `listDeliveries` → `ListDeliveries`. */
function typeName(id: string): string {
  return id.charAt(0).toUpperCase() + id.slice(1)
}
