/** What a version of a schema changes for receivers, as it is shown. */
import type { ChangelogEntry } from '../artifacts/changelog.ts'
import { type Block, code, list, mark, type Span, say } from '../page/blocks.ts'
import { counted } from '../words.ts'

type Change = Pick<ChangelogEntry, 'comparedWith' | 'verdict' | 'changes' | 'truncated' | 'version'>

const verdicts = {
  safe: { text: 'safe', tone: 'good' },
  warning: { text: 'check', tone: 'warning' },
  breaking: { text: 'breaking', tone: 'danger' },
} as const

export function verdictMark({ verdict, comparedWith, version }: Change): Span {
  if (comparedWith === null) return mark(version === 1 ? 'first version' : 'not compared')
  if (verdict === null) return mark('not compared')
  const { text, tone } = verdicts[verdict]
  return mark(text, tone)
}

/** Changes of one kind at one place that are shown one by one: a new list of countries would fill the page. */
const alikeShownMax = 3

export function changeBlocks({ comparedWith, verdict, changes, truncated }: Change): Block[] {
  if (comparedWith === null || verdict === null) return []
  if (changes.length === 0) return [say`Nothing changes for receivers.`]
  const alike = [...Map.groupBy(changes, ({ path, kind, verdict: own }) => `${path} ${kind} ${own}`).values()]
  const shown = alike.flatMap((group) => group.slice(0, alikeShownMax))
  const folded = alike.flatMap((group) => foldedBlocks(group.slice(alikeShownMax)))
  return [
    list(...shown.map(spansOfChange)),
    ...folded,
    ...(truncated ? [say`There are more changes than are listed here.`] : []),
  ]
}

function foldedBlocks(group: Change['changes']): Block[] {
  const [first] = group
  if (first === undefined) return []
  const summary = `${counted(group.length, 'more change')} of this kind at ${first.path}`
  return [{ kind: 'details', summary, blocks: [list(...group.map(spansOfChange))] }]
}

function spansOfChange({ path, verdict, sentence }: Change['changes'][number]): Span[] {
  return [code(path), ' ', mark(verdicts[verdict].text, verdicts[verdict].tone), ' ', sentence]
}
