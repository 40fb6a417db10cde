/** Addresses within the site. They are relative, so that it works below any path and from a folder. */

/** How a page leads to another file of the site; both are paths below the root. */
export function relativeTo(from: string, to: string): string {
  const here = from.split('/').slice(0, -1)
  const there = to.split('/')
  let shared = 0
  while (shared < here.length && shared < there.length - 1 && here[shared] === there[shared]) shared += 1
  const path = [...here.slice(shared).map(() => '..'), ...there.slice(shared)].map(encodeURIComponent).join('/')
  return path === '' ? '.' : path
}
