/** The names in the block `catalog:` of pnpm's workspace file, with their lines. */
export function catalogOf(yaml: string): { name: string; line: number }[] {
  const names: { name: string; line: number }[] = []
  let isInside = false
  for (const [index, text] of yaml.split('\n').entries()) {
    if (/^\S/.test(text)) isInside = text.startsWith('catalog:')
    const name = isInside ? /^\s+"?([^"#:]+)"?:/.exec(text)?.[1] : undefined
    if (name !== undefined) names.push({ name, line: index + 1 })
  }
  return names
}
