/**
 * Limits what a receiver can make us read, counted on the wire.
 *
 * The HTTP client counts names and values of headers, and we count the body; a receiver that wants to hurt sends what is
 * neither: a hundred thousand line ends before the status, headers of one letter (four bytes there, two objects here),
 * chunks whose extensions never end. None of that breaks a rule of HTTP, so it would be parsed until the deadline, at the
 * speed of the network: two hundred such heads, 64 KiB each, were seen to take 650 MB and two seconds.
 *
 * Until the head of the final answer is complete, its bytes are handed on in small pieces, so that the limits are kept to
 * within one piece however much has arrived at once. Behind the head they are handed on as they come.
 */
import type { Socket } from 'node:net'
import { ConnectError } from './failure-codes.ts'

/** Interim answers and the head of the final one together. */
const headBytesMax = 16 * 1024
const headLinesMax = 500
const pieceBytes = 2 * 1024
/** An answer as a whole: more than the 64 KiB of its body that are read, with room for the frames of small chunks. */
const answerBytesMax = 1024 * 1024

/** What was read since the last request was written. */
export type AnswerMeter = {
  bytes: number
  /** Lines of the head, without those of `piece`. */
  lines: number
  /** The last piece that was handed on before the head was complete, as far as is known. */
  piece: Buffer | null
  headComplete: boolean
}

export function newAnswerMeter(): AnswerMeter {
  return { bytes: 0, lines: 0, piece: null, headComplete: false }
}

/** To be called as soon as the head of the final answer has been read. */
export function completeHead(answer: AnswerMeter): void {
  answer.headComplete = true
  answer.piece = null
}

/** Meters whatever is read from now on. Whoever writes a request puts a new meter in its place. */
export function meterAnswers(socket: Socket, current: { answer: AnswerMeter }): void {
  const read = socket.read
  socket.read = (size?: number): Buffer | null => {
    if (size !== undefined) return read.call(socket, size)
    const { answer } = current
    if (isTooMuch(answer)) {
      socket.destroy(tooLong)
      return null
    }
    const inPieces = !answer.headComplete && socket.readableLength > pieceBytes
    const bytes: Buffer | null = read.call(socket, inPieces ? pieceBytes : undefined)
    if (bytes !== null) {
      answer.bytes += bytes.length
      answer.piece = answer.headComplete ? null : bytes
    }
    return bytes
  }
}

function isTooMuch(answer: AnswerMeter): boolean {
  if (answer.headComplete) return answer.bytes >= answerBytesMax
  // The head was not complete at the end of the last piece, so all of that piece belongs to it.
  if (answer.piece !== null) answer.lines += linesOf(answer.piece)
  answer.piece = null
  return answer.bytes >= headBytesMax || answer.lines > headLinesMax
}

function linesOf(bytes: Buffer): number {
  let lines = 0
  for (let at = bytes.indexOf(lineFeed); at >= 0; at = bytes.indexOf(lineFeed, at + 1)) lines += 1
  return lines
}

const lineFeed = 0x0a

/** One for all: it holds nothing of the connection. */
const tooLong = new ConnectError({
  code: 'response_malformed',
  detail: 'The answer of the receiver is longer than any we read: its head may have 16 KiB and 500 lines.',
})
