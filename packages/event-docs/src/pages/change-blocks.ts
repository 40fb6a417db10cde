/** What a version of a schema changes for receivers, as it is shown. */
import type { ChangelogEntry } from '../artifacts/changelog.ts'
import { type Block, code, list, mark, type Span, say } from '../page/blocks.ts'

type Change = Pick<ChangelogEntry, 'comparedWith' | 'verdict' | 'changes' | 'truncated' | 'version'>

const verdicts = {
  safe: { text: 'safe', tone: 'good' },
  warning: { text: 'look at it', tone: 'warning' },
  breaking: { text: 'breaking', tone: 'danger' },
} as const

export function verdictMark({ verdict, comparedWith, version }: Change): Span {
  if (comparedWith === null) return mark(version === 1 ? 'first version' : 'not compared')
  if (verdict === null) return mark('not compared')
  const { text, tone } = verdicts[verdict]
  return mark(text, tone)
}

export function changeBlocks({ comparedWith, verdict, changes, truncated }: Change): Block[] {
  if (comparedWith === null || verdict === null) return []
  if (changes.length === 0) return [say`Nothing changes for receivers.`]
  const items = changes.map((change) => [
    code(change.path),
    ' ',
    mark(verdicts[change.verdict].text, verdicts[change.verdict].tone),
    ' ',
    change.sentence,
  ])
  return [list(...items), ...(truncated ? [say`There are more changes than are listed here.`] : [])]
}
