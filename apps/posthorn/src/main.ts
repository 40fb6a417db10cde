#!/usr/bin/env node
/** The door of every process: reads the command line and the environment, and turns signals into an orderly end. */
import { randomFillSync } from 'node:crypto'
import { storedRandomBytes } from '@posthorn/engine'
import { runCommand } from './command.ts'

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort(signal))

// Whoever read the lines has gone. It ends in good order, but not well: what starts it again when it fails should do so.
process.stdout.on('error', () => {
  process.exitCode = 1
  stop.abort('SIGPIPE')
})

const code = await runCommand(process.argv.slice(2), {
  environment: process.env,
  world: { now: () => Date.now(), randomBytes: storedRandomBytes(randomFillSync) },
  host: { uid: process.getuid?.() ?? -1, pid: process.pid, env: process.env },
  nodeVersion: process.versions.node,
  stdin: () => process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  stop: stop.signal,
  onExit: (end) => process.on('exit', end),
})
process.exitCode ||= code
