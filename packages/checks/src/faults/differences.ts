/** What is not as it should be, in words; nothing when it is. */
export function differences(what: string, is: unknown, should: unknown): string[] {
  const [left, right] = [JSON.stringify(is), JSON.stringify(should)]
  return left === right ? [] : [`${what}: ${left} instead of ${right}`]
}
