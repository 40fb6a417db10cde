/**
 * What a caller takes for granted of a row when it changes it. Called with the row as it is under its lock, or with
 * undefined when there is none; throws when that is not what was expected, and then nothing is changed.
 */
export type Precondition<Row> = (current: Row | undefined) => void
