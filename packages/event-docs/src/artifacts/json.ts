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

/** One text for one value: members by name, without spaces. */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalText(member)}`).join(',')}}`
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** Makes something when it is first asked for, and keeps it. */
export function once<T>(make: () => T): () => T {
  let kept: { value: T } | undefined
  return () => {
    kept ??= { value: make() }
    return kept.value
  }
}
