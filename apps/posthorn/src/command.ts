/**
 * The `posthorn` command: which words it knows, and what each does. Answers with an exit code: 0 all is well, 1 it
 * failed (with one line that says what to do), 2 the words were wrong.
 */
import type { Readable } from 'node:stream'
import { parseArgs } from 'node:util'
import type { PassFailpoint } from '@posthorn/dispatcher'
import {
  ConfigurationError,
  createLogger,
  createLogLines,
  createSeal,
  DatabaseUnavailable,
  DemoDatabaseError,
  isDatabaseUnavailable,
  MigrationError,
  masterKeyHint,
  openDatabase,
  parseSettings,
  rewrapAll,
  version,
  type World,
} from '@posthorn/engine'
import { EmbeddedPostgresError, type Host } from '@posthorn/engine/embedded-postgres'
import { DocsSourceError, PublishedDocsError } from '@posthorn/event-docs'
import { listen } from '@posthorn/event-docs/listen'
import { PosthornError } from '@posthorn/sdk'
import { databaseSettings, demoSettings, masterKeySettings, refuseContradictions, serveSettings } from './config.ts'
import { startDemo } from './demo/demo.ts'
import { DemoError } from './demo/demo-error.ts'
import { JourneyError } from './demo/journey.ts'
import { createTranscript } from './demo/transcript.ts'
import { buildDocs, checkDocs, exportSource, linesOf } from './docs.ts'
import { DocsError, isAddress, loadBranding, loadObservations, loadSource } from './docs-origins.ts'
import { printable } from './printable.ts'
import { type Needed, prepareDatabase, type Role, roles, startServing } from './serve.ts'
import { FolderError } from './site-folder.ts'

const help = `posthorn ${version}

  posthorn demo [--once] [--keep]       everything on this machine, with a receiver that shows a signed delivery
      --once                            end after the first verified delivery
      --keep                            go on with the data of the run before
  posthorn serve [--role all|api|dispatcher]
                                        the real thing, on the database of DATABASE_URL
  posthorn migrate                      bring the database of DATABASE_URL to this version
  posthorn rewrap                       seal everything that is sealed anew with the first key of POSTHORN_MASTER_KEY
  posthorn docs build --out DIR --from URL|FILE [--branding FILE] [--base-url URL] [--api-url URL]
      [--observations]                  the documentation of the event types for those who receive them, as a site; for the
                                        operator alone with what was really published
  posthorn docs export --from URL --out FILE
                                        the event types of an installation, as a file to build from
  posthorn docs check --against URL|DIR --from URL|FILE
                                        ends with 1 when receivers of what is published there would break
  posthorn listen --api URL --to URL|PORT [--subscription ID] [--json]
                                        what is sent to a subscription, on your own machine too; more with --help
  posthorn help                         this text

Settings are environment variables: docs/configuration.md
`

/** How to write the settings that nothing works without. */
const needed: readonly { variable: keyof Needed; fix: string }[] = [
  { variable: 'DATABASE_URL', fix: 'write postgres://user:password@host:5432/database' },
  { variable: 'POSTHORN_MASTER_KEY', fix: masterKeyHint },
]
/** The first ones tell enough. */
const faultsShownMax = 5

type Output = { write(text: string): unknown; isTTY?: boolean }

export type CommandParts = {
  environment: Readonly<Record<string, string | undefined>>
  world: World
  host: Host
  nodeVersion: string
  /** Opened when it is read. */
  stdin(): Readable
  stdout: Output
  stderr: Output
  /** Aborted by SIGINT or SIGTERM. */
  stop: AbortSignal
  /** Calls back when the process ends, however it does but by a signal that cannot be caught. */
  onExit(end: () => void): void
  /** For tests that end the process at a certain place; no main of the product gives one. */
  failpoint?: PassFailpoint
}

/** Runs one command to its end. */
export async function runCommand(words: readonly string[], parts: CommandParts): Promise<number> {
  const [command = 'help', ...rest] = words
  switch (command) {
    case 'demo':
      return demo(rest, parts)
    case 'serve':
      return orderly(parts, () => serve(rest, parts))
    case 'migrate':
      return orderly(parts, () => migrateOnly(parts))
    case 'rewrap':
      return orderly(parts, () => rewrap(parts))
    case 'docs': {
      // What an installation, a file or a site says is not ours.
      const complain = (text: string) => parts.stderr.write(`posthorn: ${printable(text)}\n`)
      return orderly({ ...parts, complain }, () => stoppable(parts.stop, () => docs(rest, parts)))
    }
    case 'listen': {
      const { environment, stdin, stdout, stderr, stop } = parts
      return listen(rest, { environment, stdin, stdout, stderr, stop, name: 'posthorn listen' })
    }
    case 'help':
    case '--help':
    case '-h':
      parts.stdout.write(help)
      return 0
    default:
      parts.stderr.write(`posthorn: there is no command "${command}". Try: posthorn help\n`)
      return 2
  }
}

async function demo(words: readonly string[], parts: CommandParts): Promise<number> {
  const { stdout, environment, stop } = parts
  const terminal = stdout.isTTY === true
  const tell = createTranscript({
    write: (text) => stdout.write(text),
    terminal,
    colors: terminal && !environment['NO_COLOR'],
    now: () => new Date(parts.world.now()),
  })
  return orderly({ ...parts, isDemo: true, complain: (text) => tell({ kind: 'failed', text }) }, async () => {
    const options = flags(words, { once: { type: 'boolean' }, keep: { type: 'boolean' } })
    const settings = parseSettings(demoSettings, environment)
    refuseContradictions(settings)
    // The transcript is for reading; of the log only what is amiss is shown.
    const logger = createLogger(environment['LOG_LEVEL'] ? settings.LOG_LEVEL : 'warn', {
      write: (line) => parts.stderr.write(line),
    })
    const { world, host, nodeVersion } = parts
    const running = await startDemo({
      settings,
      keep: options['keep'] === true,
      world,
      logger,
      host,
      nodeVersion,
      tell,
      stop,
    })
    try {
      if (options['once'] === true) return
      const text = [
        'Next, in a second terminal:',
        '',
        ...running.curl.split('\n'),
        '',
        'Keep this data: npx pnpm@12 start --keep',
      ]
      tell({ kind: 'next', text, fields: { curl: running.curl } })
      await aborted(stop)
      tell({ kind: 'stopping', text: ['stopping: attempts in flight end first'], fields: { stopping: true } })
    } finally {
      await running.stop()
    }
  })
}

async function serve(words: readonly string[], parts: CommandParts): Promise<void> {
  const { role } = flags(words, { role: { type: 'string', default: 'all' } })
  const chosen = roles.find((one): one is Role => one === role)
  if (chosen === undefined) throw new UsageError(`--role ${role} is not known; write one of ${roles.join(', ')}`)
  const settings = parseSettings(serveSettings, parts.environment)
  refuseContradictions(settings)
  const found = required<keyof Needed>(settings)
  const lines = createLogLines(parts.stdout)
  parts.onExit(lines.flush)
  const logger = createLogger(settings.LOG_LEVEL, lines)
  await prepareDatabase(found.DATABASE_URL, new Date(parts.world.now()))
  const serving = await startServing({
    role: chosen,
    settings: { ...settings, ...found },
    world: parts.world,
    logger,
    failpoint: parts.failpoint,
  })
  logger.info({ role: chosen, origin: serving.origin, version }, 'posthorn is up')
  await aborted(parts.stop)
  logger.info('stopping: requests and attempts in flight end first')
  await serving.stop()
}

async function migrateOnly(parts: CommandParts): Promise<void> {
  const { DATABASE_URL } = required<'DATABASE_URL'>(parseSettings(databaseSettings, parts.environment))
  const { applied } = await prepareDatabase(DATABASE_URL, new Date(parts.world.now()))
  parts.stdout.write(applied.length === 0 ? 'nothing to apply\n' : applied.map((name) => `applied ${name}\n`).join(''))
}

/** Ends with an error when a secret could not be opened: then the master key that seals it must not be given up. */
async function rewrap({ environment, world, stdout }: CommandParts): Promise<void> {
  const settings = required<keyof Needed>(parseSettings({ ...databaseSettings, ...masterKeySettings }, environment))
  const { DATABASE_URL: url, POSTHORN_MASTER_KEY: masterKeys } = settings
  const seal = createSeal(masterKeys, world)
  await prepareDatabase(url, new Date(world.now()))
  await using db = openDatabase({ url, poolSize: 1 })
  const { secrets, credentials, replays, answers, faults } = await rewrapAll({ db, seal })
  const counts = `${secrets} secrets, ${credentials} credentials, ${replays} secrets of replays and ${answers} kept answers`
  stdout.write(`sealed ${counts} anew with the master key ${seal.sealsWith}\n`)
  if (faults.length > 0) throw new RewrapError(faults)
}

/** Says so when it was ended by a signal. */
async function stoppable(stop: AbortSignal, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    throw stop.aborted && error === stop.reason
      ? new DocsError('it was stopped, and what stood there is as it was')
      : error
  }
}

async function docs(words: readonly string[], parts: CommandParts): Promise<void> {
  const [action, ...rest] = words
  const { stop } = parts
  const apiKey = parts.environment['POSTHORN_API_KEY']
  const tell = (text: string) => parts.stdout.write(`${printable(text)}\n`)
  switch (action) {
    case 'build': {
      const given = flags(rest, {
        out: text,
        from: text,
        branding: text,
        'base-url': text,
        'api-url': text,
        observations: { type: 'boolean' },
      })
      const [out, from] = [wanted(given, 'out'), wanted(given, 'from')]
      const apiUrl = address(given, 'api-url') ?? (isAddress(from) ? from.replace(/\/+$/, '') : undefined)
      const baseUrl = address(given, 'base-url') ?? (apiUrl === undefined ? '' : `${apiUrl}/event-docs`)
      const branding = await loadBranding(optionalText(given, 'branding'))
      const origin = { from, apiKey, stop }
      const source = await loadSource(origin)
      const observations = given['observations'] === true ? await loadObservations(origin, source) : undefined
      const nowMs = parts.world.now()
      const { files, warnings } = await buildDocs({ source, branding, out, baseUrl, apiUrl, observations, nowMs, stop })
      if (baseUrl === '') tell('warning  --base-url is not given: schemas and the feed have no whole addresses')
      for (const warning of warnings) tell(`warning  ${warning}`)
      tell(`${source.event_types.length} event types, ${files} files in ${out}: open ${out}/index.html`)
      return
    }
    case 'export': {
      const given = flags(rest, { out: text, from: text })
      const [out, from] = [wanted(given, 'out'), wanted(given, 'from')]
      const source = await loadSource({ from, apiKey, stop })
      await exportSource(source, out)
      tell(`${source.event_types.length} event types in ${out}`)
      return
    }
    case 'check': {
      const given = flags(rest, { against: text, from: text })
      const [against, from] = [wanted(given, 'against'), wanted(given, 'from')]
      const { lines, verdict } = await checkDocs(await loadSource({ from, apiKey, stop }), against, stop)
      for (const line of lines) tell(line)
      if (verdict === 'breaking') throw new DocsError('receivers of what is published would break')
      return
    }
    default:
      throw new UsageError(`posthorn docs wants build, export or check, not "${action ?? ''}"`)
  }
}

const text = { type: 'string' } as const

function optionalText(given: Record<string, unknown>, name: string): string | undefined {
  const value = given[name]
  return typeof value === 'string' ? value : undefined
}

/** Where something stands: without a slash at the end, and without what an address below it would lose. */
function address(given: Record<string, unknown>, name: string): string | undefined {
  const value = optionalText(given, name)
  if (value === undefined) return undefined
  const url = isAddress(value) ? URL.parse(value) : null
  if (url === null || /[?#]/.test(value) || url.username !== '' || url.password !== '')
    throw new UsageError(`--${name} wants an address such as https://docs.example.com/webhooks, not "${value}"`)
  return value.replace(/\/+$/, '')
}

function wanted(given: Record<string, unknown>, name: string): string {
  const value = optionalText(given, name)
  if (value === undefined || value === '') throw new UsageError(`--${name} is missing`)
  return value
}

/** Some secrets could not be opened. */
class RewrapError extends Error {
  override readonly name = 'RewrapError'

  constructor(faults: readonly Error[]) {
    const shown = faults.slice(0, faultsShownMax).map(({ message }) => message)
    super(
      `${faults.length} secrets or credentials could not be opened and are as they were; renew them, or give the master key they need. ${shown.join('; ')}`,
    )
  }
}

/** The words on the command line were wrong. */
class UsageError extends Error {
  override readonly name = 'UsageError'
}

function flags(
  words: readonly string[],
  known: Record<string, { type: 'boolean' | 'string'; default?: string }>,
): Record<string, unknown> {
  try {
    return parseArgs({ args: [...words], options: known, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/**
 * The settings among these that nothing works without.
 *
 * @throws ConfigurationError that names each one that is missing
 */
function required<Name extends keyof Needed>(settings: { [N in Name]: Needed[N] | undefined }): Pick<Needed, Name> {
  const problems = needed
    .filter(({ variable }) => variable in settings && Reflect.get(settings, variable) === undefined)
    .map(({ variable, fix }) => ({ variable, problem: `is not set; ${fix}` }))
  if (problems.length > 0) throw new ConfigurationError(problems)
  // Each of them is there.
  return settings as Pick<Needed, Name>
}

/** Turns what went wrong into lines that help, and an exit code. */
async function orderly(
  parts: CommandParts & { complain?: (text: string) => void; isDemo?: boolean },
  work: () => Promise<void>,
): Promise<number> {
  const complain = parts.complain ?? ((text: string) => parts.stderr.write(`posthorn: ${text}\n`))
  try {
    await work()
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      complain(`${error.message}. Try: posthorn help`)
      return 2
    }
    for (const line of explanation(error, parts)) complain(line)
    if (!isExpected(error) && error instanceof Error) parts.stderr.write(`${error.stack}\n`)
    return 1
  }
}

/** @param parts `isDemo`: a database of its own can take the place of the one that is away */
function explanation(
  error: unknown,
  { environment, isDemo = false }: Pick<CommandParts, 'environment'> & { isDemo?: boolean },
): readonly string[] {
  if (error instanceof ConfigurationError)
    return error.problems.map(({ variable, problem }) => `${variable} ${problem}`)
  if (error instanceof DocsSourceError) return linesOf(error)
  if (isDatabaseUnavailable(error)) {
    const where =
      environment['DATABASE_URL'] && URL.canParse(environment['DATABASE_URL'])
        ? new URL(environment['DATABASE_URL']).host
        : ''
    const fix = isDemo ? 'Unset DATABASE_URL to let the demo bring its own.' : 'DATABASE_URL says where it is.'
    return [`cannot reach the database ${where}. Is it running? ${fix}`]
  }
  return [error instanceof Error ? error.message : String(error)]
}

/** Errors whose message is all there is to say. */
function isExpected(error: unknown): boolean {
  const expected = [
    ConfigurationError,
    DatabaseUnavailable,
    DemoDatabaseError,
    DemoError,
    DocsError,
    DocsSourceError,
    PublishedDocsError,
    EmbeddedPostgresError,
    FolderError,
    JourneyError,
    MigrationError,
    PosthornError,
    RewrapError,
  ]
  return isDatabaseUnavailable(error) || expected.some((kind) => error instanceof kind)
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
