/**
 * Makes something when it is first asked for, and keeps it. Of use above all for forms of our own that data from outside
 * is held to: compiling one takes 50 to 100 ms, as long as loading hundreds of modules, and most processes never ask.
 */
export function once<T>(make: () => T): () => T {
  let kept: { value: T } | undefined
  return () => {
    kept ??= { value: make() }
    return kept.value
  }
}
