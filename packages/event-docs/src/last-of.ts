/** Keeps the last few things that were asked for, by their names. */
export function lastOf<T>(size: number): (name: string, make: () => T) => T {
  const kept = new Map<string, T>()
  return (name, make) => {
    const value = kept.has(name) ? (kept.get(name) as T) : make()
    kept.delete(name)
    kept.set(name, value)
    const [oldest] = kept.keys()
    if (kept.size > size && oldest !== undefined) kept.delete(oldest)
    return value
  }
}
