import { type Runner, run } from './statement.ts'

/**
 * Event types that have one of these names in other letters: `Invoice.Paid` for `invoice.paid`. Names are ASCII, and the
 * collation is fixed, so that a database in Turkish takes `I` for `i` too. Locks nothing; walks
 * `event_type_name_in_any_case`, in which each name stands once.
 */
export async function selectCaseVariants(runner: Runner, names: readonly string[]): Promise<Map<string, string>> {
  const rows = await run<{ given: string; name: string }>(runner, {
    name: 'select-case-variants',
    text,
    values: [names],
  })
  return new Map(rows.map((row) => [row.given, row.name]))
}

const text = `
select given.name as given, t.name
from unnest($1::text[]) as given (name)
join event_type t on lower(t.name collate "C") = lower(given.name collate "C") and not t.case_variant
where t.name <> given.name`
