/**
 * Writes JSON in which some members are texts that must not be parsed and printed again: a publisher's `data`, byte for
 * byte. Node's `JSON.rawJSON` does this for numbers and strings only.
 */
import type { FastifyReply } from 'fastify'

/** A value that is written as it stands. Its text is valid JSON by its maker's word. */
export class ExactJson {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Writes a value; members that are undefined are left out, as `JSON.stringify` does. */
export function writeExactJson(value: unknown): string {
  if (value instanceof ExactJson) return value.text
  if (Array.isArray(value)) return `[${value.map(writeExactJson).join(',')}]`
  if (value === null || typeof value !== 'object' || 'toJSON' in value) return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${writeExactJson(member)}`).join(',')}}`
}

/** Answers with such a value, past the serializer of the route's schema. */
export function sendExactJson(reply: FastifyReply, value: unknown): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(writeExactJson(value))
}
