/**
 * What the demo says, as it happens: lines for a person at a terminal, JSON lines for a program.
 */
import { styleText } from 'node:util'

const paragraphs = ['version', 'scene', 'verified', 'next', 'stopping'] as const

/** Something worth telling. `kind` and the fields are what JSON lines carry; the text is what a person reads. */
export type Line =
  /** A part that is ready, and how long it took. */
  | { kind: 'ready'; part: string; text: string; url?: string; tookMs?: number }
  /** Something that a person should notice. */
  | { kind: 'notice'; text: string }
  /** One step of an event on its way. */
  | { kind: 'step'; step: string; id: string; text: string; fields: Record<string, unknown> }
  /** A paragraph for people; programs get its fields. */
  | { kind: (typeof paragraphs)[number]; text: readonly string[]; fields: Record<string, unknown> }
  /** The end: what went wrong, and how to mend it. */
  | { kind: 'failed'; text: string }

export type Transcript = (line: Line) => void

export type TranscriptOptions = {
  write(text: string): void
  /** A person reads it. */
  terminal: boolean
  /** `NO_COLOR` is not set, and it is a terminal. */
  colors: boolean
  now(): Date
}

const stepWidth = 11
const idWidth = 16
const partWidth = 12

/** A transcript in the form that its reader wants. */
export function createTranscript(options: TranscriptOptions): Transcript {
  if (!options.terminal) {
    return (line) => options.write(`${JSON.stringify({ at: options.now().toISOString(), ...forPrograms(line) })}\n`)
  }
  return (line) => {
    for (const text of forPeople(line, options)) options.write(`${text}\n`)
  }
}

/** `evt_01jd8x…3q`: the ends of an id, which are what people compare. */
export function shortId(id: string): string {
  return `${id.slice(0, 8)}...${id.slice(-3)}`
}

function forPrograms(line: Line): Record<string, unknown> {
  if ('fields' in line) {
    const { fields, text, ...rest } = line
    return { ...rest, ...fields, ...(typeof text === 'string' ? { text } : {}) }
  }
  return line
}

function forPeople(line: Line, options: TranscriptOptions): string[] {
  const paint = (style: 'green' | 'yellow' | 'red' | 'dim' | 'bold', text: string) =>
    options.colors ? styleText(style, text, { validateStream: false }) : text
  switch (line.kind) {
    case 'ready': {
      const took = line.tookMs === undefined ? '' : paint('dim', `${(line.tookMs / 1000).toFixed(1)} s`)
      return [`  ${paint('green', 'ok')}  ${line.part.padEnd(partWidth)}${line.text.padEnd(56)} ${took}`.trimEnd()]
    }
    case 'notice':
      return [`  ${paint('yellow', '! ')}  ${line.text}`]
    case 'step':
      return [
        `  ${paint('dim', timeOfDay(options.now()))}  ${line.step.padEnd(stepWidth)}${shortId(line.id).padEnd(idWidth)}${line.text}`,
      ]
    case 'version':
    case 'scene':
    case 'verified':
    case 'next':
    case 'stopping':
      return ['', ...line.text.map((text) => (text === '' ? '' : `  ${text}`))]
    case 'failed':
      return [`  ${paint('red', 'x ')}  ${line.text}`]
  }
}

/** `14:02:11.204`, local time. */
function timeOfDay(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`
}
