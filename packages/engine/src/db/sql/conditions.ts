/**
 * The `where` of a list whose filters vary, for the few statements whose text cannot be constant.
 *
 * Every value is a parameter; texts are put together from constants only.
 */
export type Conditions = {
  /** Adds a condition. `text` gets the parameter's placeholder. */
  add(value: unknown, text: (placeholder: string) => string): void
  /** `column = any(…)`, and `column = …` for one value, which lets an index give the rows in order. */
  addOneOf(column: string, type: string, values: readonly unknown[] | undefined): void
  /** The placeholder of a value, for conditions with several. */
  placeholder(value: unknown): string
  /** A condition without a value of its own. */
  addText(text: string): void
  /** `where …`, or nothing. */
  readonly text: string
  readonly values: readonly unknown[]
}

export function createConditions(): Conditions {
  const texts: string[] = []
  const values: unknown[] = []

  function placeholder(value: unknown): string {
    values.push(value)
    return `$${values.length}`
  }

  function add(value: unknown, text: (placeholder: string) => string): void {
    texts.push(text(placeholder(value)))
  }

  return {
    add,
    placeholder,
    addOneOf(column, type, given) {
      if (given === undefined) return
      if (given.length === 1) add(given[0], (placeholder) => `${column} = ${placeholder}::${type}`)
      else add([...given], (placeholder) => `${column} = any(${placeholder}::${type}[])`)
    },
    addText(text) {
      texts.push(text)
    },
    get text() {
      return texts.length === 0 ? '' : `where ${texts.join(' and ')}`
    },
    values,
  }
}

/**
 * An event type pattern as a `like` pattern. `*` stands for one or more whole segments; names have no empty segments, so
 * `%` between dots means the same.
 */
export function likePattern(pattern: string): string {
  return pattern.replaceAll('_', '\\_').replaceAll('*', '%')
}

/** The place where a page begins: rows beyond an id, in the order of reading. */
export type Beyond = { id: string | undefined; order: 'asc' | 'desc' }

export function addBeyond(conditions: Conditions, column: string, { id, order }: Beyond): void {
  if (id === undefined) return
  conditions.add(id, (placeholder) => `${column} ${order === 'asc' ? '>' : '<'} ${placeholder}::uuid`)
}
