import { ProblemBody } from '../problems.ts'
import { named } from './reference.ts'

/** The body of every 4xx and 5xx answer, by its name. */
export const ProblemSchema = named('Problem', ProblemBody)
