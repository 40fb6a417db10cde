/**
 * Writes the lines of a log together that come in the same turn of the event loop: to standard output each write is a
 * system call, and a busy dispatcher writes thousands of lines a second.
 */

export type LogLines = {
  write(line: string): void
  /** Writes what waits now, before the process ends. */
  flush(): void
}

/**
 * @param output what takes the lines; its backlog is its own business
 * @param later calls back when this turn is over
 */
export function createLogLines(
  output: { write(text: string): unknown },
  later: (flush: () => void) => unknown = setImmediate,
): LogLines {
  let waiting = ''
  function flush(): void {
    const text = waiting
    waiting = ''
    if (text !== '') output.write(text)
  }
  return {
    write(line) {
      if (waiting === '') later(flush)
      waiting += line
    },
    flush,
  }
}
