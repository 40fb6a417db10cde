/**
 * Whether two parts of two documents are written alike, with what they refer to. References in a circle are alike unless
 * something on the way is not.
 */
import { isObject, type SchemaDocument } from './schema-document.ts'

export type Same = (before: unknown, now: unknown) => boolean

export function sameIn(documents: { before: SchemaDocument; now: SchemaDocument }, step: () => void): Same {
  const unlike = new WeakMap<object, WeakSet<object>>()
  const alike = new WeakMap<object, WeakSet<object>>()

  function walk(before: unknown, now: unknown, assumed: WeakMap<object, WeakSet<object>>): boolean {
    step()
    if (before === null || now === null || typeof before !== 'object' || typeof now !== 'object') return before === now
    if (has(alike, before, now) || has(assumed, before, now)) return true
    if (has(unlike, before, now)) return false
    put(assumed, before, now)
    const isAlike =
      Array.isArray(before) || Array.isArray(now) ? lists(before, now, assumed) : members(before, now, assumed)
    if (!isAlike) put(unlike, before, now)
    return isAlike
  }

  function lists(before: object, now: object, assumed: WeakMap<object, WeakSet<object>>): boolean {
    if (!Array.isArray(before) || !Array.isArray(now) || before.length !== now.length) return false
    return before.every((one, index) => walk(one, now[index], assumed))
  }

  function members(before: object, now: object, assumed: WeakMap<object, WeakSet<object>>): boolean {
    if (!isObject(before) || !isObject(now)) return false
    const names = Object.keys(before)
    if (names.length !== Object.keys(now).length) return false
    return names.every((name) => {
      if (!Object.hasOwn(now, name) || !walk(before[name], now[name], assumed)) return false
      const reference = before[name]
      if ((name !== '$ref' && name !== '$dynamicRef') || typeof reference !== 'string') return true
      return walk(documents.before.resolve(reference), documents.now.resolve(reference), assumed)
    })
  }

  return (before, now) => {
    const assumed = new WeakMap<object, WeakSet<object>>()
    const isAlike = walk(before, now, assumed)
    // What was assumed on the way is known now, because nothing contradicted it.
    if (isAlike && before !== null && now !== null && typeof before === 'object' && typeof now === 'object')
      put(alike, before, now)
    return isAlike
  }
}

function has(pairs: WeakMap<object, WeakSet<object>>, a: object, b: object): boolean {
  return pairs.get(a)?.has(b) ?? false
}

function put(pairs: WeakMap<object, WeakSet<object>>, a: object, b: object): void {
  const known = pairs.get(a)
  if (known === undefined) pairs.set(a, new WeakSet([b]))
  else known.add(b)
}
