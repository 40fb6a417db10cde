/** JSON as a file. */
import { createHash } from 'node:crypto'
import type { Artifact } from '../artifact.ts'

/** For people too: two spaces, and a line break at the end. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

export function jsonArtifact(value: unknown, contentType = 'application/json'): Artifact {
  return { contentType, body: jsonText(value) }
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
