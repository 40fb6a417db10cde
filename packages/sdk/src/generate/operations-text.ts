/**
 * The table of operations, made from the OpenAPI document: where each is called, by what its answer is known, and what
 * goes in and comes out of it by the types that `openapi-ts` has made of the same document.
 */

/** The parts of the document that are looked at. */
export type OpenapiDocument = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>
  readonly components?: { readonly schemas?: Readonly<Record<string, DocumentedSchema>> }
}

type DocumentedOperation = {
  readonly operationId?: string
  readonly responses?: Readonly<Record<string, DocumentedResponse>>
}

type DocumentedResponse = {
  readonly content?: Readonly<Record<string, { readonly schema?: DocumentedSchema }>>
}

type DocumentedSchema = {
  readonly $ref?: string
  readonly anyOf?: readonly DocumentedSchema[]
  readonly type?: string | readonly string[]
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, DocumentedSchema>>
}

type Operation = { readonly id: string; readonly method: string; readonly path: string; readonly answer: string }

const methods = new Set(['get', 'put', 'post', 'patch', 'delete'])

/** The source of `generated/operations.gen.ts`. */
export function operationsText(document: OpenapiDocument): string {
  const operations = operationsOf(document).toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const names = operations.flatMap(({ id }) => [`${typeName(id)}Data`, `${typeName(id)}Responses`])
  return [
    '// Made by src/generate/main.ts from docs/openapi.json. `pnpm run generate` makes it again.',
    `import type {\n${names.map((name) => `  ${name},\n`).join('')}} from './types.gen.ts'`,
    `export type Operations = {\n${operations.map(({ id }) => `  ${id}: { data: ${typeName(id)}Data; responses: ${typeName(id)}Responses }\n`).join('')}}`,
    `export const operations = {\n${operations.map(({ id, method, path, answer }) => `  ${id}: { method: '${method}', path: '${path}', ${answer} },\n`).join('')}} as const satisfies Record<keyof Operations, { method: string; path: string; statuses: readonly number[]; member?: string; isList?: boolean }>\n`,
  ].join('\n\n')
}

function operationsOf(document: OpenapiDocument): Operation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => methods.has(method))
      .map(([method, { operationId, responses = {} }]) => {
        if (operationId === undefined) throw new Error(`${method} ${path} has no operationId`)
        return { id: operationId, method: method.toUpperCase(), path, answer: answerText(document, responses) }
      }),
  )
}

/**
 * By what an answer is known to be the operation's: its statuses, and the first member that all of them have. Only that
 * one, because what is added to an answer later is missing in those of an older server.
 */
function answerText(document: OpenapiDocument, responses: Readonly<Record<string, DocumentedResponse>>): string {
  const good = Object.entries(responses).filter(([status]) => /^2\d\d$/.test(status))
  const statuses = `statuses: [${good.map(([status]) => status).join(', ')}]`
  const objects = good.flatMap(([, { content = {} }]) => objectsOf(document, content['application/json']?.schema))
  const member = objects[0]?.required?.find((name) => objects.every(({ required = [] }) => required.includes(name)))
  if (member === undefined) return statuses
  const isList = objects.every(({ properties = {} }) => properties[member]?.type === 'array')
  return `${statuses}, member: '${member}'${isList ? ', isList: true' : ''}`
}

/** What a schema may be, each by itself. */
function objectsOf(document: OpenapiDocument, schema: DocumentedSchema | undefined): DocumentedSchema[] {
  if (schema === undefined) return []
  const { $ref, anyOf } = schema
  if ($ref !== undefined) return objectsOf(document, document.components?.schemas?.[$ref.split('/').at(-1) ?? ''])
  return anyOf === undefined ? [schema] : anyOf.flatMap((one) => objectsOf(document, one))
}

/** As `openapi-ts` names types: `listDeliveries` → `ListDeliveries`. */
function typeName(id: string): string {
  return id.charAt(0).toUpperCase() + id.slice(1)
}
