/** Numbers that look random and are the same on every machine: they hang on a text alone. */

export type Draws = {
  /** A whole number from 0 up to, and without, `end`. */
  below(end: number): number
}

/** @param seed equal texts give equal numbers */
export function seeded(seed: string): Draws {
  let state = 2_166_136_261
  for (const byte of new TextEncoder().encode(seed)) state = Math.imul(state ^ byte, 16_777_619)
  return {
    below(end) {
      state = (state + 0x9e3779b9) | 0
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
      return ((mixed ^ (mixed >>> 15)) >>> 0) % end
    },
  }
}
