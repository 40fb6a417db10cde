import { form } from '../forms.ts'
import { limits } from '../limits.ts'

/** JSON-Schema pattern of the name of a business key. */
export const businessKeyNamePattern = form(
  `^[A-Za-z0-9_.-]{1,${limits.businessKeyLengthMax}}$`,
  `must be a name of 1 to ${limits.businessKeyLengthMax} letters, digits and _ . -, such as order`,
)
