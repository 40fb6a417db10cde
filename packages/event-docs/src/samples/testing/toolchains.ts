/**
 * What it takes to run a sample in each language. A sample is run as it is; where its language wants more files (a
 * module file, a project), they are made beside a copy of it in a folder of its own.
 *
 * Tests find what is on the machine and download nothing. `mayInstall` also runs the install command that readers are
 * shown: only the command that records results does that.
 */
import { access, cp, mkdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Language, SampleEntry } from '../manifest.ts'
import { type Command, type Ended, type Environment, runToEnd } from './children.ts'

export type Prepared =
  | {
      readonly isReady: true
      /** `Python 3.11` */
      readonly with: string
      /** What starts the sample, listening on the port. */
      command(port: number): Command
      readonly cwd: string
      readonly env: Environment
    }
  | { readonly isReady: false; readonly why: string }

export type Preparing = {
  readonly entry: SampleEntry
  /** Empty, and the sample's alone. */
  readonly folder: string
  readonly env: Environment
  readonly mayInstall: boolean
}

export const samplesFolder = fileURLToPath(new URL('../../../samples', import.meta.url))

const lookTimeoutMs = 20_000
const buildTimeoutMs = 60_000
/** With the time for downloads, and for compiling what others wrote. */
const installTimeoutMs = 600_000

/** @throws Error when the toolchain is there and cannot build the sample */
export async function prepare(preparing: Preparing): Promise<Prepared> {
  return await toolchains[preparing.entry.language](preparing)
}

const toolchains: Readonly<Record<Language, (preparing: Preparing) => Promise<Prepared>>> = {
  async node({ entry, env }) {
    const version = await versionOf([execPath, '--version'], /v(\d+)/, env)
    const folder = dirname(join(samplesFolder, entry.file))
    return ready(`Node.js ${version}`, [execPath, basename(entry.file)], folder, env)
  },

  async python({ entry, folder, env, mayInstall }) {
    const version = await versionOf(['python3', '--version'], /Python (\d+\.\d+)/, env)
    if (version === undefined) return missing('there is no python3')
    let python = 'python3'
    if (mayInstall && entry.install !== undefined) {
      python = join(folder, 'venv/bin/python3')
      const options = { cwd: folder, env, timeoutMs: installTimeoutMs }
      needed(await runToEnd(['python3', '-m', 'venv', 'venv'], options), 'python3 -m venv')
      needed(await runToEnd([python, '-m', ...words(entry.install)], options), entry.install)
    }
    const imports = entry.packages.map((name) => `import ${name}`).join('\n')
    const look = await runToEnd([python, '-c', imports], { env, timeoutMs: lookTimeoutMs })
    if (look.exitCode !== 0) return missing(`python3 cannot import ${entry.packages.join(', ')}`)
    const copied = await copy(entry, folder)
    return ready(`Python ${version}`, [python, '-B', copied], folder, env)
  },

  async go({ entry, folder, env, mayInstall }) {
    const version = await versionOf(['go', 'version'], /go(\d+\.\d+)/, env)
    if (version === undefined) return missing('there is no go')
    const copied = await copy(entry, folder)
    let goEnv: Environment = { ...env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod', GOPROXY: 'off', GOSUMDB: 'off' }
    if (entry.install !== undefined) {
      if (mayInstall) goEnv = { ...env, GOTOOLCHAIN: 'local' }
      const installed = await shell(entry.install, folder, goEnv)
      if (installed.exitCode !== 0)
        return missing(`the Go modules are not on this machine (${entry.packages.join(', ')})`)
    }
    const options = { cwd: folder, env: goEnv, timeoutMs: mayInstall ? installTimeoutMs : buildTimeoutMs }
    const built = await runToEnd(['go', 'build', '-o', 'receiver', copied], options)
    if (built.isOverdue) return missing(`go build took more than ${buildTimeoutMs / 1000} s`)
    needed(built, 'go build')
    return ready(`Go ${version}`, [join(folder, 'receiver')], folder, env)
  },

  async ruby({ entry, folder, env, mayInstall }) {
    const version = await versionOf(['ruby', '--version'], /ruby (\d+\.\d+)/, env)
    if (version === undefined) return missing('there is no ruby')
    const rubyEnv = mayInstall ? gemsIn(join(folder, 'gems'), env) : env
    if (mayInstall && entry.install !== undefined) await shell(entry.install, folder, rubyEnv)
    const gems = entry.packages.map((name) => `gem "${name}"`).join('; ')
    const look = await runToEnd(['ruby', '-e', gems], { env: rubyEnv, timeoutMs: lookTimeoutMs })
    if (look.exitCode !== 0) return missing(`ruby does not have the gems ${entry.packages.join(', ')}`)
    const copied = await copy(entry, folder)
    const run = { cwd: folder, env: rubyEnv }
    if (!copied.endsWith('.ru')) return ready(`Ruby ${version}`, ['ruby', copied], run.cwd, run.env)
    if ((await versionOf(['rackup', '--version'], /(\d+\.\d+)/, rubyEnv)) === undefined)
      return missing('there is no rackup')
    return {
      isReady: true,
      with: `Ruby ${version}`,
      command: (port) => ['rackup', '--host', '127.0.0.1', '--port', String(port), copied],
      ...run,
    }
  },

  async php({ entry, folder, env, mayInstall }) {
    const version = await versionOf(['php', '--version'], /PHP (\d+\.\d+)/, env)
    if (version === undefined) return missing('there is no php')
    const look = await runToEnd(['php', '-r', 'exit(extension_loaded("pdo_sqlite") ? 0 : 1);'], {
      env,
      timeoutMs: lookTimeoutMs,
    })
    if (look.exitCode !== 0) return missing('php does not have pdo_sqlite')
    const copied = await copy(entry, folder)
    if (entry.install !== undefined) {
      if (!mayInstall) return missing('its Composer packages are not on this machine')
      const installed = await shell(entry.install, folder, env)
      if (installed.exitCode !== 0) return missing(`"${entry.install}" fails`)
    }
    return {
      isReady: true,
      with: `PHP ${version}`,
      command: (port) => ['php', '-S', `127.0.0.1:${port}`, copied],
      cwd: folder,
      env,
    }
  },

  async java({ entry, folder, env, mayInstall }) {
    const version = await versionOf(['javac', '-version'], /javac (\d+)/, env)
    if (version === undefined) return missing('there is no javac')
    const copied = await copy(entry, folder)
    const jars = mayInstall ? join(folder, '*') : (env['CLASSPATH'] ?? '')
    const javaEnv = { ...env, CLASSPATH: [folder, jars].filter((path) => path !== '').join(':') }
    if (entry.install !== undefined) {
      if (mayInstall) await shell(entry.install, folder, javaEnv)
      const look = await runToEnd(['javap', 'com.standardwebhooks.Webhook'], { env: javaEnv, timeoutMs: lookTimeoutMs })
      if (look.exitCode !== 0) return missing(`${entry.packages.join(', ')} is not on the class path`)
    }
    const options = { cwd: folder, env: javaEnv, timeoutMs: buildTimeoutMs }
    const built = await runToEnd(['javac', '-encoding', 'UTF-8', '-Xlint:all', '-d', folder, copied], options)
    if (built.isOverdue) return missing(`javac took more than ${buildTimeoutMs / 1000} s`)
    needed(built, 'javac')
    return ready(`Java ${version}`, ['java', '-Xshare:auto', '-XX:TieredStopAtLevel=1', 'Receiver'], folder, javaEnv)
  },

  async csharp({ entry, folder, env, mayInstall }) {
    const version = await versionOf(['dotnet', '--version'], /^(\d+\.\d+)/, env)
    if (version === undefined) return missing('there is no dotnet')
    if (!mayInstall || entry.install === undefined) return missing('building it fetches packages')
    const installed = await shell(entry.install, folder, env)
    if (installed.exitCode !== 0) return missing(`"${entry.install}" fails`)
    await copy(entry, folder)
    const options = { cwd: folder, env, timeoutMs: installTimeoutMs }
    needed(await runToEnd(['dotnet', 'build', '-o', 'built', '-p:AssemblyName=Receiver'], options), 'dotnet build')
    return ready(`.NET ${version}`, ['dotnet', join(folder, 'built/Receiver.dll')], folder, env)
  },

  async rust({ entry, folder, env, mayInstall }) {
    const version = await versionOf(['cargo', '--version'], /cargo (\d+\.\d+)/, env)
    if (version === undefined) return missing('there is no cargo')
    if (!mayInstall || entry.install === undefined) return missing('its crates are not on this machine')
    const installed = await shell(entry.install, folder, env)
    if (installed.exitCode !== 0) return missing(`"${entry.install}" fails`)
    await mkdir(join(folder, 'src'), { recursive: true })
    await cp(join(samplesFolder, entry.file), join(folder, 'src/main.rs'))
    const options = { cwd: folder, env: { ...env, RUSTFLAGS: '-D warnings' }, timeoutMs: installTimeoutMs }
    needed(await runToEnd(['cargo', 'build'], options), 'cargo build')
    return ready(`Rust ${version}`, [join(folder, 'target/debug/receiver')], folder, env)
  },

  async shell({ entry, folder, env }) {
    const version = await versionOf(['openssl', 'version'], /OpenSSL (\d+)/, env)
    if (version === undefined) return missing('there is no OpenSSL')
    const copied = await copy(entry, folder)
    return ready(`OpenSSL ${version}`, ['sh', copied], folder, env)
  },
}

function gemsIn(folder: string, env: Environment): Environment {
  return { ...env, GEM_HOME: folder, GEM_PATH: folder, PATH: `${folder}/bin:${env['PATH'] ?? ''}` }
}

function ready(toolchain: string, command: Command, cwd: string, env: Environment): Prepared {
  return { isReady: true, with: toolchain, command: () => command, cwd, env }
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

async function shell(line: string, cwd: string, env: Environment): Promise<Ended> {
  return await runToEnd(['sh', '-c', line], { cwd, env, timeoutMs: installTimeoutMs })
}

function needed({ exitCode, output }: Ended, what: string): void {
  if (exitCode !== 0) throw new Error(`${what} ended with ${exitCode ?? 'no answer'}:\n${output.slice(-4000)}`)
}

function words(line: string): string[] {
  return line.split(' ')
}
