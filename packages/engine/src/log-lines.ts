/**
 * Writes the lines of a log together that come in the same turn of the event loop: to standard output each write is a
 * system call, and a busy dispatcher writes thousands of lines a second.
 */

export type LogLines = {
  write(line: string): void
  /** Writes what waits now, before the process ends. */
  flush(): void
}

/** @param destination what takes the lines; its backlog is its own business */
export function createLogLines(destination: { write(text: string): unknown }): LogLines {
  let waiting = ''
  function flush(): void {
    const text = waiting
    waiting = ''
    if (text !== '') destination.write(text)
  }
  return {
    write(line) {
      if (waiting === '') setImmediate(flush)
      waiting += line
    },
    flush,
  }
}
