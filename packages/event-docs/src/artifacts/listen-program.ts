/** `listen.mjs`: the program that brings what is sent to a developer's own machine, as it is run here and tested. */
import { readFileSync } from 'node:fs'
import type { Artifact } from '../artifact.ts'

const file = new URL('../listen/listen.mjs', import.meta.url)

export function listenProgram(): Artifact {
  return { contentType: 'text/javascript; charset=utf-8', body: readFileSync(file, 'utf8') }
}
