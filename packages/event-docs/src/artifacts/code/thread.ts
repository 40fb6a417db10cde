/** The thread in which generators run: they were not made for the schemas of strangers, and some never end. */
import { parentPort } from 'node:worker_threads'
import { compile } from 'json-schema-to-typescript'
import {
  GoRenderer,
  GoTargetLanguage,
  getOptionValues,
  goOptions,
  InputData,
  inferenceFlagNames,
  JSONSchemaInput,
  JSONSchemaStore,
  Namer,
  PythonTargetLanguage,
  quicktype,
  type RenderContext,
  type TargetLanguage,
} from 'quicktype-core'
import type { Made, Piece } from './piece.ts'

/** Of what a generator says, in UTF-16 units. */
const failureLengthMax = 300
/** What the generator for Go calls the data itself, before it gets its name. Another type of that name gets a number. */
const rootMarker = 'Data'

parentPort?.on('message', async (piece: Piece) => {
  parentPort?.postMessage(await made(piece))
})

parentPort?.postMessage('ready')

async function made(piece: Piece): Promise<Made> {
  try {
    return { text: await generators[piece.language](piece) }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { failure: reason.slice(0, failureLengthMax) }
  }
}

const generators = { typescript, go, python } satisfies Record<Piece['language'], (piece: Piece) => Promise<string>>

function typescript({ name, schema }: Piece): Promise<string> {
  // Its own type is that of an older draft, which knows no `const`.
  return compile(structuredClone(schema) as Parameters<typeof compile>[0], name, {
    additionalProperties: false,
    bannerComment: '',
    format: false,
    unknownAny: true,
    $refOptions: { resolve: { external: false, file: false, http: false } },
  })
}

async function go(piece: Piece): Promise<string> {
  return rendered(piece, rootMarker, new PrefixedGo(piece.name))
}

async function python(piece: Piece): Promise<string> {
  return rendered(piece, piece.name, new PythonTargetLanguage(), { 'python-version': '3.7' })
}

async function rendered(
  { schema }: Piece,
  name: string,
  lang: TargetLanguage,
  rendererOptions: Record<string, string> = {},
): Promise<string> {
  const input = new JSONSchemaInput(new NothingElse())
  await input.addSource({ name, schema: JSON.stringify(schema) })
  const inputData = new InputData()
  inputData.addInput(input)
  const { lines } = await quicktype({ inputData, lang, rendererOptions, leadingComments: [], ...nothingInferred })
  return lines.join('\n')
}

/** A schema says what it means; guessing is for examples, and takes a third of the time. */
const nothingInferred = Object.fromEntries(inferenceFlagNames.map((name) => [name, false]))

/** All that a schema may refer to is in itself. */
class NothingElse extends JSONSchemaStore {
  override async fetch(): Promise<undefined> {
    return undefined
  }
}

/** All event types are one package of Go, so what belongs to one is called after it, as protocol buffers do it. */
class PrefixedGo extends GoTargetLanguage {
  readonly #root: string

  constructor(root: string) {
    super()
    this.#root = root
  }

  protected override makeRenderer(context: RenderContext, options: Record<string, unknown>): GoRenderer {
    return new PrefixedGoRenderer(this, context, { options: getOptionValues(goOptions, options), root: this.#root })
  }
}

class PrefixedGoRenderer extends GoRenderer {
  readonly #root: string

  constructor(
    language: TargetLanguage,
    context: RenderContext,
    { options, root }: { options: ConstructorParameters<typeof GoRenderer>[2]; root: string },
  ) {
    super(language, context, options)
    this.#root = root
  }

  protected override makeNamedTypeNamer(): Namer {
    const { name, nameStyle } = super.makeNamedTypeNamer()
    const own = (raw: string) => {
      const styled = nameStyle(raw)
      return styled === rootMarker ? this.#root : `${this.#root}_${styled}`
    }
    return new Namer(name, own, [])
  }

  protected override makeEnumCaseNamer(): Namer {
    const { name, nameStyle } = super.makeEnumCaseNamer()
    return new Namer(name, (raw) => `${this.#root}_${nameStyle(raw)}`, [])
  }
}
