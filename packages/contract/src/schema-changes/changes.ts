/**
 * What can change from one version of an event type's schema to the next, told to those who receive its events. For data
 * that is *sent*, compatibility runs the other way than for requests: what is added hurts nobody, and what may be missing,
 * or take values that never came before, breaks the code that reads it.
 */

/** What a change means to a receiver that was written for the version before. */
export const changeVerdicts = ['safe', 'warning', 'breaking'] as const
export type ChangeVerdict = (typeof changeVerdicts)[number]

/** Every kind of change there is, with the worst verdict that it can have. */
export const changeKinds = {
  property_added: 'warning',
  property_removed: 'breaking',
  property_required: 'safe',
  property_optional: 'breaking',
  null_added: 'breaking',
  null_removed: 'safe',
  type_changed: 'breaking',
  type_widened: 'breaking',
  type_narrowed: 'safe',
  enum_value_added: 'breaking',
  enum_value_removed: 'safe',
  values_unlimited: 'breaking',
  values_limited: 'safe',
  variant_added: 'breaking',
  variant_removed: 'safe',
  limit_relaxed: 'warning',
  limit_tightened: 'safe',
  pattern_changed: 'warning',
  format_changed: 'warning',
  rule_dropped: 'breaking',
  meaning_changed: 'breaking',
  deprecated: 'safe',
  description_changed: 'safe',
  too_complex: 'breaking',
} as const satisfies Record<string, ChangeVerdict>
export type ChangeKind = keyof typeof changeKinds

export type SchemaChange = {
  /** The place in the data: `data.customer.email`, `data.lines[].total`, `data.labels{}` (any member). */
  path: string
  kind: ChangeKind
  verdict: ChangeVerdict
  /** For the developer of a receiver. */
  sentence: string
}

export type SchemaChanges = {
  /** The worst of the changes; `safe` when there are none. */
  verdict: ChangeVerdict
  changes: SchemaChange[]
  /** There are more than are named; the verdict counts them all. */
  truncated: boolean
}

/** The worse of two. */
export function worse(a: ChangeVerdict, b: ChangeVerdict): ChangeVerdict {
  return changeVerdicts.indexOf(a) >= changeVerdicts.indexOf(b) ? a : b
}
