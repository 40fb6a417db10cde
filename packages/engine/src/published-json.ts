/**
 * Finds the exact text of what a publisher wrote, inside a request body.
 *
 * JavaScript's parser rounds `12345678901234567890`, forgets `1.0` and drops a repeated key, so the bytes of `data` are
 * cut out of the body and never printed again. The text is known to be valid JSON when it comes here (`JSON.parse` has
 * accepted it); this file only has to find where things begin and end.
 *
 * Everything is linear in the text and nothing is recursive: depth costs no stack.
 */
import { Problem } from '@posthorn/contract'

/**
 * The exact text of the member `data` of the body of one event, or `undefined` when there is none.
 *
 * @param text valid JSON
 * @throws Problem `invalid_request` when a member of the event is given twice: one of the two would be dropped silently
 */
export function publishedData(text: string): string | undefined {
  return dataOf(text, afterSpace(text, 0))
}

/**
 * The exact text of a member of a body, or `undefined` when there is none.
 *
 * @param text valid JSON
 * @throws Problem `invalid_request` when a member is given twice
 */
export function memberText(text: string, name: string): string | undefined {
  const member = membersOf(text, afterSpace(text, 0)).get(name)
  return member === undefined ? undefined : text.slice(member.start, member.end)
}

/** A body without the elements of one of its members, and the exact text of each of them. */
export type Apart = { rest: string; elements: string[] }

/**
 * Takes out of a body what is to be judged by itself: the elements of an array that is one of its members. `undefined`
 * when there is no such array.
 *
 * @param text valid JSON
 * @throws Problem `invalid_request` when the body itself gives a member twice
 */
export function apart(text: string, name: string): Apart | undefined {
  const array = membersOf(text, afterSpace(text, 0)).get(name)
  if (array === undefined || text.charCodeAt(array.start) !== openBracket) return undefined
  const elements = elementsOf(text, array.start).map((start) => text.slice(start, afterValue(text, start)))
  return { rest: `${text.slice(0, array.start)}[]${text.slice(array.end)}`, elements }
}

/**
 * The exact text of the value at the end of a path: names of members and places in arrays. `undefined` when there is none,
 * and when a member on the way is given twice, so that nobody can say which of the two is meant.
 *
 * @param text valid JSON
 */
export function valueText(text: string, path: readonly string[]): string | undefined {
  let start = afterSpace(text, 0)
  for (const token of path) {
    const next =
      text.charCodeAt(start) === openBracket ? elementStart(text, start, token) : memberStart(text, start, token)
    if (next === undefined) return undefined
    start = next
  }
  return text.slice(start, afterValue(text, start))
}

/** An element of an array by its place, as a JSON Pointer has it (RFC 6901 §4): no leading zeros. */
function elementStart(text: string, start: number, token: string): number | undefined {
  return /^(0|[1-9]\d{0,8})$/.test(token) ? elementsOf(text, start)[Number(token)] : undefined
}

function memberStart(text: string, start: number, token: string): number | undefined {
  try {
    return membersOf(text, start).get(token)?.start
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}

/**
 * Whether objects and arrays lie deeper inside one another than allowed.
 *
 * @param text valid JSON
 */
export function nestsDeeperThan(text: string, depthMax: number): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      at = afterString(text, at) - 1
    } else if (opens(code)) {
      depth += 1
      if (depth > depthMax) return true
    } else if (closes(code)) {
      depth -= 1
    }
  }
  return false
}

/**
 * Where an object has a member that would change JavaScript objects themselves: its own `__proto__`, or a `constructor`
 * with a `prototype`. `undefined` when there is none.
 *
 * @param value what the text says, not deeper than allowed
 */
export function poisonousMember(text: string, value: unknown): string | undefined {
  // Only a text in which one of the names could be spelt is worth a walk.
  return /__proto__|constructor|\\u/.test(text) ? poisonIn(value, '') : undefined
}

/** What is told of such a member, behind the place where it is. */
export const poisonousDetail = 'is a name that would change JavaScript objects themselves, and is not accepted anywhere'

function poisonIn(value: unknown, pointer: string): string | undefined {
  if (value === null || typeof value !== 'object') return undefined
  for (const [name, member] of Object.entries(value)) {
    const place = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (name === '__proto__') return place
    const isObject = member !== null && typeof member === 'object'
    if (name === 'constructor' && isObject && Object.hasOwn(member, 'prototype')) return place
    const found = poisonIn(member, place)
    if (found !== undefined) return found
  }
  return undefined
}

function dataOf(text: string, start: number): string | undefined {
  const data = membersOf(text, start).get('data')
  return data === undefined ? undefined : text.slice(data.start, data.end)
}

type Span = { start: number; end: number }

/** Where the value of each member of the object at `start` lies; empty for anything that is no object. */
function membersOf(text: string, start: number): Map<string, Span> {
  const members = new Map<string, Span>()
  if (text.charCodeAt(start) !== openBrace) return members
  let at = afterSpace(text, start + 1)
  while (text.charCodeAt(at) === quote) {
    const keyEnd = afterString(text, at)
    const key = keyOf(text.slice(at, keyEnd))
    const valueStart = afterSpace(text, afterSpace(text, keyEnd) + 1) // over the colon
    const valueEnd = afterValue(text, valueStart)
    if (members.has(key)) throw givenTwice(key)
    members.set(key, { start: valueStart, end: valueEnd })
    at = afterSpace(text, valueEnd)
    if (text.charCodeAt(at) === comma) at = afterSpace(text, at + 1)
  }
  return members
}

/** Where each element of the array at `start` begins; empty for anything that is no array. */
function elementsOf(text: string, start: number): number[] {
  const elements: number[] = []
  if (text.charCodeAt(start) !== openBracket) return elements
  let at = afterSpace(text, start + 1)
  while (at < text.length && text.charCodeAt(at) !== closeBracket) {
    elements.push(at)
    at = afterSpace(text, afterValue(text, at))
    if (text.charCodeAt(at) === comma) at = afterSpace(text, at + 1)
  }
  return elements
}

/** `"d\u0061ta"` is the key `data` as well. */
export function keyOf(literal: string): string {
  if (!literal.includes('\\')) return literal.slice(1, -1)
  const key: unknown = JSON.parse(literal)
  return String(key)
}

function givenTwice(key: string): Problem {
  const pointer = `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
  return new Problem('invalid_request', `The member ${JSON.stringify(key)} is given twice. Give it once.`, {
    errors: [{ pointer, detail: givenTwiceDetail }],
  })
}

/** What is told of a member that stands there twice, behind the place where it is. */
export const givenTwiceDetail = 'is given twice'

export const quote = 0x22
export const comma = 0x2c
const backslash = 0x5c
export const openBracket = 0x5b
export const closeBracket = 0x5d
export const openBrace = 0x7b
export const closeBrace = 0x7d

function opens(code: number): boolean {
  return code === openBrace || code === openBracket
}

function closes(code: number): boolean {
  return code === closeBrace || code === closeBracket
}

/** Tab, line feed, carriage return and space: all the white space that JSON has (RFC 8259 §2). */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

function afterSpace(text: string, start: number): number {
  let at = start
  while (isSpace(text.charCodeAt(at))) at += 1
  return at
}

/** The place after the string whose opening quote is at `start`: the next quote with an even number of backslashes before it. */
export function afterString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end - 1
    while (text.charCodeAt(before) === backslash) before -= 1
    if ((end - before) % 2 === 1) return end + 1
  }
  return text.length
}

function afterValue(text: string, start: number): number {
  const first = text.charCodeAt(start)
  if (first === quote) return afterString(text, start)
  return opens(first) ? afterContainer(text, start) : afterWord(text, start)
}

function afterContainer(text: string, start: number): number {
  let depth = 0
  let at = start
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      at = afterString(text, at)
      continue
    }
    if (opens(code)) depth += 1
    else if (closes(code)) depth -= 1
    at += 1
    if (depth === 0) break
  }
  return at
}

/** A number, `true`, `false` or `null`. */
function afterWord(text: string, start: number): number {
  let at = start
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (isSpace(code) || code === comma || closes(code)) break
    at += 1
  }
  return at
}
