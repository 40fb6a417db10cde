/** Vitest's global set-up: one PostgreSQL for the whole run. `DATABASE_URL` names another than the embedded one. */
import type { TestProject } from 'vitest/node'
import { openTestServer } from './server.ts'

let close: () => Promise<void> = async () => undefined

export async function setup(project: TestProject): Promise<void> {
  const { uid, pid, env } = { uid: process.getuid?.() ?? 0, pid: process.pid, env: process.env }
  const server = await openTestServer({ uid, pid, env }, { databaseUrl: env['DATABASE_URL'], now: new Date() })
  close = server.close
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // Vitest ends at a signal without its teardown, and would leave the server running.
    process.once(signal, () => void close().finally(() => process.kill(process.pid, signal)))
  }
  const compileCache = env['NODE_COMPILE_CACHE']
  const given = {
    PATH: env['PATH'] ?? '',
    ...(compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache }),
  }
  project.provide('machine', { uid, execPath: process.execPath, env: given })
  project.provide('postgres', { url: server.url, template: server.template, prefix: server.prefix })
}

export async function teardown(): Promise<void> {
  await close()
}
