/**
 * What it takes to run a sample in each language. A sample is run as it is; where its language wants more files (a
 * module file, a project), they are made beside a copy of it in a folder of its own.
 *
 * What a sample needs beside its toolchain is got by the install command that readers are shown, and is kept for
 * the next run. Where it cannot be had, the sample is not run and that is said.
 */
import { readFileSync } from 'node:fs'
import { access, cp, mkdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Language, SampleEntry } from '../manifest.ts'
import { type Command, type Ended, type Environment, runToEnd } from './children.ts'
import { getOnce, whyNotGot } from './getting.ts'
import { goLibraries, javaLibraries, nodeLibraries, pythonLibraries, rustLibraries } from './libraries.ts'

export type Ready = {
  readonly isReady: true
  /** `Python 3.11` */
  readonly with: string
  /** What its install command brought, with the exact version of each: `flask 3.1.3`. Empty where nobody has looked. */
  readonly libraries: readonly string[]
  /** What starts the sample, listening on the port. */
  command(port: number): Command
  readonly cwd: string
  readonly env: Environment
}
export type Prepared = Ready | { readonly isReady: false; readonly why: string }

export type Preparing = {
  readonly entry: SampleEntry
  /** Empty, and the sample's alone. */
  readonly folder: string
  /** Where what was got is kept. */
  readonly cache: string
  readonly env: Environment
}

export const samplesFolder = fileURLToPath(new URL('../../../samples', import.meta.url))

/** Exact versions of what comes with Python's samples, whose install commands name none. */
const pythonVersionsFile = fileURLToPath(new URL('python-versions.txt', import.meta.url))

const lookTimeoutMs = 20_000
/** With the time for compiling what others wrote, beside other work. */
const buildTimeoutMs = 300_000
/** With the time for downloads. */
const installTimeoutMs = 180_000

/** @throws Error when the toolchain is there and cannot build the sample */
export async function prepare(preparing: Preparing): Promise<Prepared> {
  return await toolchains[preparing.entry.language](preparing)
}

const toolchains: Readonly<Record<Language, (preparing: Preparing) => Promise<Prepared>>> = {
  async node({ entry, env }) {
    const version = await versionOf([execPath, '--version'], /v(\d+)/, env)
    const folder = dirname(join(samplesFolder, entry.file))
    return {
      ...ready(`Node.js ${version}`, [execPath, basename(entry.file)], folder, env),
      libraries: await nodeLibraries(entry.packages),
    }
  },

  async python({ entry, folder, cache, env }) {
    const version = await versionOf(['python3', '--version'], /Python (\d+\.\d+)/, env)
    if (version === undefined) return missing('there is no python3')
    const copied = await copy(entry, folder)
    const run = (python: string) => ready(`Python ${version}`, [python, '-B', copied], folder, env)
    const { install, packages } = entry
    if (install === undefined) return run('python3')
    const versions = readFileSync(pythonVersionsFile, 'utf8')
    const got = await getOnce({ cache, entry, salt: `${version} ${versions}` }, async (place) => {
      const pipEnv = { ...env, PIP_CONSTRAINT: pythonVersionsFile }
      const options = { cwd: place, env: pipEnv, timeoutMs: installTimeoutMs }
      const made = await runToEnd(['python3', '-m', 'venv', '.'], options)
      if (made.exitCode !== 0) return made
      return await runToEnd(['bin/python3', '-m', ...words(install)], options)
    })
    if (!got.isHere) return missing(got.why)
    const python = join(got.folder, 'bin/python3')
    return { ...run(python), libraries: await pythonLibraries(packages, python, env) }
  },

  async go({ entry, folder, env }) {
    const version = await versionOf(['go', 'version'], /go(\d+\.\d+)/, env)
    if (version === undefined) return missing('there is no go')
    const copied = await copy(entry, folder)
    const goEnv: Environment = { ...env, GOTOOLCHAIN: 'local' }
    if (entry.install !== undefined) {
      // Into the cache of Go's own.
      const installed = await shell(entry.install, folder, goEnv)
      if (installed.exitCode !== 0) return missing(whyNotGot(entry, installed))
    }
    const options = { cwd: folder, env: goEnv, timeoutMs: buildTimeoutMs }
    const built = await runToEnd(['go', 'build', '-o', 'receiver', copied], options)
    if (built.isOverdue) return missing(overdue('go build'))
    needed(built, 'go build')
    return {
      ...ready(`Go ${version}`, [join(folder, 'receiver')], folder, env),
      libraries: await goLibraries(entry.packages, folder, goEnv),
    }
  },

  async ruby({ entry, folder, cache, env }) {
    const version = await versionOf(['ruby', '--version'], /ruby (\d+\.\d+)/, env)
    if (version === undefined) return missing('there is no ruby')
    // Debian's packages of the gems do as well.
    const look = await runToEnd(['ruby', '-e', entry.packages.map((name) => `gem "${name}"`).join('; ')], {
      env,
      timeoutMs: lookTimeoutMs,
    })
    let rubyEnv = env
    if (look.exitCode !== 0) {
      const got = await getOnce({ cache, entry, salt: version }, (place) =>
        shell(entry.install, place, gemsIn(place, env)),
      )
      if (!got.isHere) return missing(got.why)
      rubyEnv = gemsIn(got.folder, env)
    }
    const copied = await copy(entry, folder)
    const run = { cwd: folder, env: rubyEnv }
    if (!copied.endsWith('.ru')) return ready(`Ruby ${version}`, ['ruby', copied], run.cwd, run.env)
    if ((await versionOf(['rackup', '--version'], /(\d+\.\d+)/, rubyEnv)) === undefined)
      return missing('there is no rackup')
    return {
      ...ready(`Ruby ${version}`, ['rackup'], run.cwd, run.env),
      command: (port) => ['rackup', '--host', '127.0.0.1', '--port', String(port), copied],
    }
  },

  async php({ entry, folder, env }) {
    const version = await versionOf(['php', '--version'], /PHP (\d+\.\d+)/, env)
    if (version === undefined) return missing('there is no php')
    const look = await runToEnd(['php', '-r', 'exit(extension_loaded("pdo_sqlite") ? 0 : 1);'], {
      env,
      timeoutMs: lookTimeoutMs,
    })
    if (look.exitCode !== 0) return missing('php does not have pdo_sqlite')
    const copied = await copy(entry, folder)
    if (entry.install !== undefined) {
      const installed = await shell(entry.install, folder, env)
      if (installed.exitCode !== 0) return missing(whyNotGot(entry, installed))
    }
    return {
      ...ready(`PHP ${version}`, ['php'], folder, env),
      command: (port) => ['php', '-S', `127.0.0.1:${port}`, copied],
    }
  },

  async java({ entry, folder, cache, env }) {
    const version = await versionOf(['javac', '-version'], /javac (\d+)/, env)
    if (version === undefined) return missing('there is no javac')
    const copied = await copy(entry, folder)
    let classPath = folder
    let libraries: readonly string[] = []
    if (entry.install !== undefined) {
      const got = await getOnce({ cache, entry, salt: '' }, (place) => shell(entry.install, place, env))
      if (!got.isHere) return missing(got.why)
      classPath = `${folder}:${join(got.folder, '*')}`
      libraries = await javaLibraries(got.folder)
    }
    const javaEnv = { ...env, CLASSPATH: classPath }
    const options = { cwd: folder, env: javaEnv, timeoutMs: buildTimeoutMs }
    const built = await runToEnd(['javac', '-encoding', 'UTF-8', '-Xlint:all', '-d', folder, copied], options)
    if (built.isOverdue) return missing(overdue('javac'))
    needed(built, 'javac')
    const command = ['java', '-Xshare:auto', '-XX:TieredStopAtLevel=1', 'Receiver'] as const
    return { ...ready(`Java ${version}`, command, folder, javaEnv), libraries }
  },

  async csharp({ entry, folder, env }) {
    const version = await versionOf(['dotnet', '--version'], /^(\d+\.\d+)/, env)
    if (version === undefined) return missing('there is no dotnet')
    const installed = await shell(entry.install, folder, env)
    if (installed.exitCode !== 0) return missing(whyNotGot(entry, installed))
    await copy(entry, folder)
    const options = { cwd: folder, env, timeoutMs: buildTimeoutMs }
    const built = await runToEnd(['dotnet', 'build', '-o', 'built', '-p:AssemblyName=Receiver'], options)
    if (built.isOverdue) return missing(overdue('dotnet build'))
    needed(built, 'dotnet build')
    return ready(`.NET ${version}`, ['dotnet', join(folder, 'built/Receiver.dll')], folder, env)
  },

  async rust({ entry, folder, cache, env }) {
    const version = await versionOf(['cargo', '--version'], /cargo (\d+\.\d+)/, env)
    if (version === undefined) return missing('there is no cargo')
    const got = await getOnce({ cache, entry, salt: version }, async (place) => {
      const installed = await shell(entry.install, place, env)
      if (installed.exitCode !== 0) return installed
      return await runToEnd(['cargo', 'fetch'], { cwd: place, env, timeoutMs: installTimeoutMs })
    })
    if (!got.isHere) return missing(got.why)
    await mkdir(join(folder, 'src'))
    await cp(join(samplesFolder, entry.file), join(folder, 'src/main.rs'))
    for (const file of ['Cargo.toml', 'Cargo.lock']) await cp(join(got.folder, file), join(folder, file))
    // Both samples need most of the same crates, which are compiled once.
    const target = join(cache, `rust-${version}`)
    const rustEnv = {
      ...env,
      CARGO_TARGET_DIR: target,
      CARGO_INCREMENTAL: '0',
      CARGO_PROFILE_DEV_DEBUG: '0',
      RUSTFLAGS: '-D warnings',
    }
    const options = { cwd: folder, env: rustEnv, timeoutMs: buildTimeoutMs }
    const built = await runToEnd(['cargo', 'build', '--locked'], options)
    if (built.isOverdue) return missing(overdue('cargo build'))
    needed(built, 'cargo build')
    // The other sample makes a file of the same name.
    const receiver = join(folder, 'receiver')
    await cp(join(target, 'debug/receiver'), receiver)
    const libraries = await rustLibraries(entry.packages, got.folder)
    return { ...ready(`Rust ${version}`, [receiver], folder, env), libraries }
  },

  async shell({ entry, folder, env }) {
    const version = await versionOf(['openssl', 'version'], /OpenSSL (\d+)/, env)
    if (version === undefined) return missing('there is no OpenSSL')
    const copied = await copy(entry, folder)
    return ready(`OpenSSL ${version}`, ['sh', copied], folder, env)
  },
}

function overdue(what: string): string {
  return `${what} took more than ${buildTimeoutMs / 1000} s`
}

function gemsIn(folder: string, env: Environment): Environment {
  return { ...env, GEM_HOME: folder, GEM_PATH: folder, PATH: `${folder}/bin:${env['PATH'] ?? ''}` }
}

function ready(toolchain: string, command: Command, cwd: string, env: Environment): Ready {
  return { isReady: true, with: toolchain, libraries: [], command: () => command, cwd, env }
}

function missing(why: string): Prepared {
  return { isReady: false, why }
}

async function versionOf(command: Command, pattern: RegExp, env: Environment): Promise<string | undefined> {
  const { exitCode, output } = await runToEnd(command, { env, timeoutMs: lookTimeoutMs })
  return exitCode === 0 ? pattern.exec(output)?.[1] : undefined
}

async function copy({ file }: SampleEntry, folder: string): Promise<string> {
  const copied = join(folder, basename(file))
  await cp(join(samplesFolder, file), copied)
  await access(copied)
  return copied
}

/** Runs the install command that readers are shown, where there is one. */
async function shell(line: string | undefined, cwd: string, env: Environment): Promise<Ended> {
  return await runToEnd(['sh', '-c', line ?? ''], { cwd, env, timeoutMs: installTimeoutMs })
}

function needed({ exitCode, output }: Ended, what: string): void {
  if (exitCode !== 0) throw new Error(`${what} ended with ${exitCode ?? 'no answer'}:\n${output.slice(-4000)}`)
}

function words(line: string): string[] {
  return line.split(' ')
}
