/**
 * Forms of our own that data from outside is held to. Compiling one takes 50 to 100 ms, as long as loading hundreds of
 * modules, and most processes never ask: each is compiled when it is first asked.
 */
import type { ValidateFunction } from 'ajv'

/**
 * Gives what `compile` makes, each time the same: `const form = theForm(); if (!form(value)) … form.errors`.
 */
export function ownForm<T>(compile: () => ValidateFunction<T>): () => ValidateFunction<T> {
  let compiled: ValidateFunction<T> | undefined
  return () => {
    compiled ??= compile()
    return compiled
  }
}
