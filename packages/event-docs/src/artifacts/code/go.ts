/** Types of all events for Go: one package without dependencies, and `ParseEvent`, which looks at `type`. */
import { isObject } from '@posthorn/contract'
import { once } from '@posthorn/json-schema'
import type { Artifacts, MakeArtifact } from '../../artifact.ts'
import type { Documentation } from '../../documentation.ts'
import { addresses } from '../addresses.ts'
import type { Keywords } from '../schema-document.ts'
import type { CodeMaker } from './code-maker.ts'
import { type CodeName, codeNames, uniqueNames } from './code-names.ts'
import { codeSchema, commentText } from './code-schema.ts'
import type { DocsWarning } from './code-warning.ts'
import { type Generated, type GeneratedType, generate } from './generating.ts'
import type { Piece } from './piece.ts'

const contentType = 'text/plain; charset=utf-8'
/** A constant for each of five hundred countries helps nobody, and takes long. */
const enumValuesMax = 100
/** That generator takes a time that grows with the square of the name of a member; longer ones have none in code. */
const memberLengthMax = 256
/** Where the part begins that every generated file would repeat. */
const supportBegins = /^func unmarshalUnion\(/m
/**
 * What `encoding/json` takes for the name of a member in a tag; it has no way to escape any other. A field that does not
 * begin with a letter that has a capital cannot be exported.
 */
const namable = /^(?!-$)(?!\P{L}*\p{Lo})[\p{L}\p{Nd}!#$%&()*+\-./:;<=>?@[\]^_{|}~ ]+$/u

export function goArtifacts(
  documentation: Documentation,
  maker: CodeMaker,
): { artifacts: Artifacts; warnings: () => Promise<readonly DocsWarning[]> } {
  const generated = once(() => generate(documentation, maker, { artifact: addresses.go, pieceOf, finished: onlyTypes }))
  const support = once(() => supportOf(maker))
  const file = (path: string, text: () => Promise<string>): [string, MakeArtifact] => [
    path,
    async () => ({ contentType, body: await text() }),
  ]
  const artifacts = new Map<string, MakeArtifact>([
    file(`${addresses.go}go.mod`, async () => 'module webhookevents\n\ngo 1.18\n'),
    file(addresses.goEvents, async () => registry(documentation, await generated())),
    file(`${addresses.go}unions.go`, support),
  ])
  for (const [type, name] of codeNames(documentation)) {
    const [path, make] = file(addresses.goEvent(name.stem), async () => {
      const one = (await generated()).types.find((each) => each.type === type)
      return one === undefined ? '' : eventFile(one)
    })
    artifacts.set(path, make)
  }
  return { artifacts, warnings: async () => (await generated()).warnings }
}

function pieceOf(schema: unknown, { base }: CodeName): Piece {
  const plain = quicktypeSchema(schema, (member) => namable.test(member))
  return { language: 'go', name: `${base}Data`, schema: withoutNull(plain) }
}

/**
 * Data that may be null: the generator forgets to declare a type for it. Go does not need the word, because it reads a
 * null into any type and leaves that as it is.
 */
function withoutNull(root: Keywords): Keywords {
  const { type, anyOf, enum: values } = root
  if (Array.isArray(type)) return { ...root, type: only(type.filter((each) => each !== 'null')) }
  if (Array.isArray(values)) return { ...root, enum: values.filter((value) => value !== null) }
  if (!Array.isArray(anyOf)) return root
  return { ...root, anyOf: anyOf.filter((branch) => !isObject(branch) || branch['type'] !== 'null') }
}

function only(list: readonly unknown[]): unknown {
  return list.length === 1 ? list[0] : list
}

/** For both languages of that generator. */
export function quicktypeSchema(schema: unknown, canName: (member: string) => boolean): Keywords {
  const { root, definitions } = codeSchema(schema, {
    rootName: 'Root',
    uniqueName: uniqueNames(['Root']),
    enumValuesMax,
    anything: {},
    reference: (target) => target,
    tuple: (places) => ({ items: { anyOf: places } }),
    values: (values) => (values.every(isTextOrNull) && values.some(isText) ? { enum: values } : kindsOf(values)),
    extensible: (values) => (values.every(isText) ? { type: 'string' } : {}),
    canName: (member) => member.length <= memberLengthMax && canName(member),
  })
  // The generator knows a reference to the root by this name only.
  const text = JSON.stringify({
    ...root,
    $defs: Object.fromEntries([...definitions].filter(([name]) => name !== 'Root')),
  })
  return JSON.parse(text.replaceAll('"$ref":"#/$defs/Root"', '"$ref":"#"'))
}

/** The generator knows enumerations of text; of other values it is told what kinds there are. */
function kindsOf(values: readonly unknown[]): Keywords {
  const kinds = [...new Set(values.map(kindOf))]
  return kinds.length === 1 ? { type: kinds[0] } : { type: kinds }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isTextOrNull(value: unknown): boolean {
  return value === null || isText(value)
}

/** What stands in other files is cut off: the head, the function to parse it by itself, the support for unions. */
function onlyTypes(text: string, { base }: CodeName): string | undefined {
  const end = supportBegins.exec(text)?.index ?? text.length
  const types = text
    .slice(0, end)
    .replaceAll(/^(?:package|import) .*\n/gm, '')
    .replaceAll(/^func Unmarshal\w+\(data \[\]byte\)[\s\S]*?^}\n/gm, '')
    .replaceAll(/^func \(r \*\w+\) Marshal\(\)[\s\S]*?^}\n/gm, '')
    .replaceAll(/[ \t]+$/gm, '')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim()
  return new RegExp(`^type ${base}Data `, 'm').test(types) && areFinite(types) ? types : undefined
}

/** Whether no struct holds itself: of a schema that no data can fit, because it has to go on for ever, one would. */
function areFinite(types: string): boolean {
  const held = new Map<string, string[]>()
  for (const [, name = '', fields = ''] of types.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) {
    held.set(
      name,
      [...fields.matchAll(/^\t\w+ +(\w+) +`/gm)].map(([, type = '']) => type),
    )
  }
  const done = new Set<string>()
  function endsFrom(name: string, inside: readonly string[]): boolean {
    if (inside.includes(name)) return false
    const isKnown = done.has(name) || (held.get(name) ?? []).every((field) => endsFrom(field, [...inside, name]))
    if (isKnown) done.add(name)
    return isKnown
  }
  return [...held.keys()].every((name) => endsFrom(name, []))
}

/** Of a schema with a union, only the support. It is the generator's own. */
async function supportOf(maker: CodeMaker): Promise<string> {
  const branches = [{ type: 'string' }, { type: 'array', items: { type: 'string' } }]
  const made = await maker.make({ language: 'go', name: 'Any', schema: { anyOf: branches } })
  const text = 'text' in made ? made.text : ''
  const begin = supportBegins.exec(text)?.index
  if (begin === undefined) throw new Error('the generator for Go makes no support for unions any more')
  return `package webhookevents

import (
\t"bytes"
\t"encoding/json"
\t"errors"
)

${text.slice(begin).trim()}
`
}

function eventFile({ type, name, eventType, code, reason }: GeneratedType): string {
  const { description, status } = eventType.event_type
  const about = [`${name.base}Data is the data of an event ${type}.`]
  if (description !== null) about.push('', ...commentText(description).split('\n'))
  if (status === 'archived') about.push('', 'Deprecated: it is not sent any more.')
  const types =
    code ?? `// Not described: ${commentText(reason ?? '').replaceAll('\n', ' ')}\ntype ${name.base}Data = any`
  const remark = about.map((line) => `// ${line}`.trimEnd()).join('\n')
  return `package webhookevents

${remark}
//
// The schema is at ${addresses.schema(type, 'latest')}.
${types.startsWith('type ') ? '' : '\n'}${types}
`
}

function registry({ branding }: Documentation, { types }: Generated): string {
  const cases = types.map(
    ({ type, name }) => `	case ${JSON.stringify(type)}:
		data := new(${name.base}Data)
		event.Data, err = data, json.Unmarshal(envelope.Data, data)`,
  )
  return `// Package webhookevents has the events of ${commentText(branding.name).replaceAll('\n', ' ')}.
package webhookevents

import (
	"encoding/json"
	"fmt"
)

// Event is what a verified body holds. Data is a pointer to the type that belongs to Type, such as
// *${types[0]?.name.base ?? 'Some'}Data; of a type that is not known it is a json.RawMessage: answer 2xx, and do nothing else.
type Event struct {
	Type      string
	Timestamp string
	Data      any
}

// ParseEvent reads a body whose signature was verified.
func ParseEvent(body []byte) (Event, error) {
	var envelope struct {
		Type      string          \`json:"type"\`
		Timestamp string          \`json:"timestamp"\`
		Data      json.RawMessage \`json:"data"\`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return Event{}, err
	}
	event := Event{Type: envelope.Type, Timestamp: envelope.Timestamp}
	var err error
	switch envelope.Type {
${cases.join('\n')}
	default:
		event.Data = envelope.Data
	}
	if err != nil {
		return event, fmt.Errorf("the data of %s is not as described: %w", envelope.Type, err)
	}
	return event, nil
}
`
}
