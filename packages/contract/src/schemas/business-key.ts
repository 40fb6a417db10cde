import { limits } from '../limits.ts'

/** JSON-Schema pattern of the name of a business key. */
export const businessKeyNamePattern = `^[A-Za-z0-9_.-]{1,${limits.businessKeyLengthMax}}$`
