import { isObject, type Keywords } from '@posthorn/contract'

const structural = ['properties', 'patternProperties', 'additionalProperties', 'items', 'prefixItems']

/** Whether a part of a schema says what lies deeper in the data. Places that share all such parts are alike. */
export function isStructural(part: Keywords): boolean {
  return structural.some((name) => isObject(part[name]) || Array.isArray(part[name]))
}
