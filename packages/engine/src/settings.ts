/**
 * Configuration is a value made in three steps: an environment is read (only in a `main.ts`), `parseSettings` decides,
 * and the parts are built from the result. A value that cannot be read stops the start, and all such errors are told at
 * once: the variable's name, what is wrong, and the fix.
 *
 * One table of settings yields the type, the default, the help text and (by a test) the page `docs/configuration.md`.
 */

export type Setting<T> = {
  /** One phrase for people: what the setting is for. */
  readonly help: string
  /** The default as it would be written in the environment; `undefined` when the setting is required or optional. */
  readonly defaultText: string | undefined
  /** Never printed or logged. */
  readonly secret: boolean
  /** Reads the text of a variable, or the default when it is absent or empty. Throws `SettingError`. */
  read(text: string | undefined): T
}

export type Settings = Record<string, Setting<unknown>>
export type Parsed<S extends Settings> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never }

/** What is wrong with one value, and the fix. The variable's name is added by `parseSettings`. */
export class SettingError extends Error {
  override readonly name = 'SettingError'
}

/** Every unreadable setting at once. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly code = 'configuration_invalid'
  readonly problems: readonly { variable: string; problem: string }[]

  constructor(problems: readonly { variable: string; problem: string }[]) {
    super(problems.map(({ variable, problem }) => `${variable}: ${problem}`).join('\n'))
    this.problems = problems
  }
}

/**
 * Reads every setting of a table from an environment.
 *
 * @throws ConfigurationError naming each variable that could not be read
 */
export function parseSettings<S extends Settings>(
  settings: S,
  environment: Readonly<Record<string, string | undefined>>,
): Parsed<S> {
  const problems: { variable: string; problem: string }[] = []
  const values: Record<string, unknown> = {}
  for (const [variable, setting] of Object.entries(settings)) {
    try {
      values[variable] = setting.read(environment[variable]?.trim())
    } catch (error) {
      if (!(error instanceof SettingError)) throw error
      problems.push({ variable, problem: error.message })
    }
  }
  if (problems.length > 0) throw new ConfigurationError(problems)
  // Every key was read by its own setting just above.
  return values as Parsed<S>
}

/** A whole number within bounds. */
export function integer(bounds: { min: number; max: number; default: number }, help: string): Setting<number> {
  return setting({ help, defaultText: String(bounds.default) }, (text) => {
    const value = Number(text)
    if (!/^-?\d+$/.test(text))
      throw new SettingError(`"${text}" is not a whole number; give one from ${bounds.min} to ${bounds.max}`)
    if (value < bounds.min || value > bounds.max) {
      throw new SettingError(`${text} is out of range; give a number from ${bounds.min} to ${bounds.max}`)
    }
    return value
  })
}

/** `true` or `false`, and nothing that merely looks like it. */
export function boolean(options: { default: boolean }, help: string): Setting<boolean> {
  return setting({ help, defaultText: String(options.default) }, (text) => {
    if (text !== 'true' && text !== 'false')
      throw new SettingError(`"${text}" is neither true nor false; write one of the two`)
    return text === 'true'
  })
}

/** One word of a closed list. */
export function choice<const T extends string>(words: readonly T[], options: { default: T }, help: string): Setting<T> {
  return setting({ help, defaultText: options.default }, (text) => {
    const word = words.find((candidate) => candidate === text)
    if (word === undefined) throw new SettingError(`"${text}" is not known; write one of ${words.join(', ')}`)
    return word
  })
}

/** Any text, or what `parse` makes of it. `parse` throws an `Error` whose message says what is wrong and the fix. */
export function text<T = string>(options: { default: string; parse?: (text: string) => T }, help: string): Setting<T> {
  return setting({ help, defaultText: options.default }, (value) => parsed(value, options.parse))
}

/** A text that may be absent. */
export function optional<T = string>(
  options: { secret?: boolean; parse?: (text: string) => T },
  help: string,
): Setting<T | undefined> {
  return {
    help,
    defaultText: undefined,
    secret: options.secret ?? false,
    read: (value) => (value === undefined || value === '' ? undefined : parsed(value, options.parse)),
  }
}

/** A `postgres://` or `postgresql://` connection string. Never echoed: it carries a password. */
export function postgresUrl(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new SettingError('is no PostgreSQL connection string; write postgres://user:password@host:5432/database')
  }
  return value
}

function setting<T>(base: { help: string; defaultText: string }, read: (text: string) => T): Setting<T> {
  return {
    ...base,
    secret: false,
    read: (value) => read(value === undefined || value === '' ? base.defaultText : value),
  }
}

function parsed<T>(value: string, parse: ((text: string) => T) | undefined): T {
  // Without a parser T is string, by the defaults of the callers' type parameter.
  if (parse === undefined) return value as T
  try {
    return parse(value)
  } catch (error) {
    if (error instanceof Error) throw new SettingError(error.message)
    throw error
  }
}
