/** Since which version a field is there. */
import type { EventTypeVersion } from '@posthorn/contract'
import { eachField } from './fields.ts'
import { schemaFields } from './schema-fields.ts'

/**
 * By path, the version from which a field was there without a gap up to the last version.
 *
 * @param versions of one event type, the oldest first
 */
export function sinceVersions(versions: readonly Pick<EventTypeVersion, 'version' | 'schema'>[]): Map<string, number> {
  let since = new Map<string, number>()
  for (const { version, schema } of versions) {
    const { root } = schemaFields(schema)
    // What cannot be read says nothing: neither that a field is new then, nor in the version behind it.
    if (root === undefined) return new Map()
    const now = new Map<string, number>()
    for (const { path } of eachField(root)) now.set(path, since.get(path) ?? version)
    since = now
  }
  return since
}
