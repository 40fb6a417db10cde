/**
 * Server-sent events, as the standard of HTML reads them (§9.2.6): bytes that come in any pieces become messages.
 */

export type SentEvent = {
  /** `message` where the server gave none. */
  readonly event: string
  readonly data: string
  /** The last id that was given, with this message or before it; empty when none was. */
  readonly id: string
}

/** A message longer than this is none of ours, in characters: a broken server shall not fill the memory. */
const messageLengthMax = 1024 * 1024

/**
 * Reads a stream to its end. `heard` is called for everything that comes, also for what is no message: the server lives.
 * `placed` is told each id that was given, with a message or without.
 *
 * @throws RangeError for a message that never ends; what reading throws
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  heard: () => void,
  placed: (id: string) => void = () => undefined,
): AsyncGenerator<SentEvent, void> {
  const lines = createLines()
  const message = createMessage(placed)
  const reader = body.getReader()
  const decoder = new TextDecoder()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      heard()
      for (const line of lines(decoder.decode(value, { stream: true }))) {
        const complete = message(line)
        if (complete !== undefined) yield complete
      }
    }
  } finally {
    // Whoever stops reading lets the connection go.
    await reader.cancel().catch(() => undefined)
  }
}

/** Cuts text into lines, wherever the pieces end: a line ends with LF, CR or both. */
function createLines(): (piece: string) => string[] {
  let rest = ''
  let isAfterCr = false
  return (piece) => {
    let text = rest + piece
    // The LF of a pair whose CR was the end of the piece before.
    if (isAfterCr && text.startsWith('\n')) {
      text = text.slice(1)
      isAfterCr = false
    }
    if (text !== '') isAfterCr = text.endsWith('\r')
    const lines = text.split(/\r\n|\n|\r/)
    rest = lines.pop() ?? ''
    if (rest.length > messageLengthMax) throw new RangeError('A line of the stream never ends')
    return lines
  }
}

/** Puts lines together; answers a message at the empty line behind it. What is left at the end is no message. */
function createMessage(placed: (id: string) => void): (line: string) => SentEvent | undefined {
  let event = ''
  let data: string[] = []
  let length = 0
  let id = ''
  let isPlaced = false

  function take(name: string, value: string): void {
    if (name === 'event') event = value
    else if (name === 'data') {
      data.push(value)
      length += value.length
    } else if (name === 'id' && !value.includes('\0')) {
      id = value
      isPlaced = true
    }
  }

  return (line) => {
    if (line === '') {
      const complete = data.length === 0 ? undefined : { event: event || 'message', data: data.join('\n'), id }
      if (isPlaced) placed(id)
      isPlaced = false
      event = ''
      data = []
      length = 0
      return complete
    }
    const colon = line.indexOf(':')
    // Without a name it is a comment.
    if (colon !== 0) {
      const value = colon === -1 ? '' : line.slice(colon + 1)
      take(colon === -1 ? line : line.slice(0, colon), value.startsWith(' ') ? value.slice(1) : value)
    }
    if (length > messageLengthMax) throw new RangeError('A message of the stream never ends')
    return undefined
  }
}
