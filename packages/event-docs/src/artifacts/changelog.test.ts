import { expect, test } from 'vitest'
import { documentationOf } from '../testing/documentation.ts'
import { changelogDocument, changelogFeed, changelogOf, changelogSummary } from './changelog.ts'

const text = { type: 'object', properties: { text: { type: 'string' } } }
const documentation = documentationOf({
  'note.left': {
    versions: [
      { schema: { ...text, required: ['text'] } },
      { schema: text },
      { schema: { ...text, required: ['text'] } },
    ],
  },
  'note.lost': { versions: [{ schema: {} }] },
})

/** The tags of a document in their order; fails where one is not closed, or a text has what belongs to tags. */
function tagsOf(xml: string): string[] {
  const open: string[] = []
  const tags: string[] = []
  const [, body = ''] = xml.split('?>')
  for (const [, close, name = '', attributes = '', empty, words] of body.matchAll(
    /<(\/)?([a-z]+)([^<>]*?)(\/)?>|([^<>]+)/g,
  )) {
    if (words !== undefined) expect(words).not.toMatch(/&(?!amp;|lt;|gt;|quot;|#39;)/)
    else if (close !== undefined) expect(open.pop()).toBe(name)
    else {
      expect(attributes).toMatch(/^( [a-z]+="[^"<&]*(&[a-z#0-9]+;[^"<&]*)*")*$/)
      tags.push(name)
      if (empty === undefined) open.push(name)
    }
  }
  expect(open).toEqual([])
  return tags
}

test('there is an entry for each version, the newest first, with what it means for receivers', () => {
  const entries = changelogOf(documentation)
  expect(entries.map(({ eventType, version, verdict }) => [eventType, version, verdict])).toEqual([
    ['note.left', 3, 'safe'],
    ['note.left', 2, 'breaking'],
    ['note.left', 1, 'safe'],
    ['note.lost', 1, 'safe'],
  ])
  expect(entries.map(changelogSummary)).toEqual([
    '1 change since version 2. Receivers need do nothing.',
    '1 change since version 1. Code that reads it may fail.',
    'The first version.',
    'The first version.',
  ])
  expect(entries[1]?.changes).toMatchObject([
    { path: 'data.text', sentence: 'It always came, and may be missing now.' },
  ])
})

test('a version from before comparisons were kept says so', () => {
  const [entry] = changelogOf(documentation)
  if (entry === undefined) throw new Error('there is no entry')
  expect(changelogSummary({ ...entry, verdict: null, comparedWith: null })).toBe('What it changed was not kept.')
  expect(changelogSummary({ ...entry, changes: [], verdict: 'safe' })).toBe(
    'Nothing changes for receivers of version 2.',
  )
  expect(changelogSummary({ ...entry, truncated: true })).toMatch(/^1 or more changes since/)
})

test('the feed is well-formed Atom: each entry has an id of its own that stays, and the time of its version', () => {
  const { body, contentType } = changelogFeed(documentation)
  expect(contentType).toBe('application/atom+xml; charset=utf-8')
  const xml = String(body)
  expect(tagsOf(xml).filter((tag) => tag === 'entry')).toHaveLength(4)
  const ids = [...xml.matchAll(/<id>(.*?)<\/id>/g)].map(([, id]) => id)
  expect(ids).toEqual([
    'tag:docs.acme.example,2026-01-01:event-types/changelog',
    'tag:docs.acme.example,2026-02-02:event-types/note.left/3',
    'tag:docs.acme.example,2026-02-01:event-types/note.left/2',
    'tag:docs.acme.example,2026-01-31:event-types/note.left/1',
    'tag:docs.acme.example,2026-01-31:event-types/note.lost/1',
  ])
  expect(/<updated>(.*?)<\/updated>/.exec(xml)?.[1]).toBe('2026-02-02T00:00:00.000Z')
})

test('hostile words stay text in the feed, and characters that XML does not have are replaced', () => {
  const name = `</title><script>alert("1")</script> & ' ]]> \u0000\u001b\ud800\uffff 漢😀`
  const schema = { properties: { '<img src=x onerror=alert(1)>': { type: 'string' } } }
  const hostile = documentationOf(
    { odd: { versions: [{ schema: { properties: {} } }, { schema }] } },
    { branding: { name }, baseUrl: 'http://[::1]:8080/docs?a=1&b="<' },
  )
  const xml = String(changelogFeed(hostile).body)
  tagsOf(xml)
  expect(xml).not.toMatch(/<script|<img|(?!\n)\p{Cc}|\uffff/u)
  expect(xml.isWellFormed()).toBe(true)
  expect(xml).toContain('漢😀')
  expect(xml).toContain('&amp;lt;img src=x onerror=alert(1)&amp;gt;')
})

test('without event types the feed is empty, and still one', () => {
  const xml = String(changelogFeed(documentationOf({})).body)
  expect(tagsOf(xml)).not.toContain('entry')
  expect(xml).toContain('<updated>2026-01-01T00:00:00.000Z</updated>')
})

test('the changelog for programs says the same', () => {
  const { entries } = JSON.parse(String(changelogDocument(documentation).body))
  expect(entries[1]).toMatchObject({
    id: 'tag:docs.acme.example,2026-02-01:event-types/note.left/2',
    event_type: 'note.left',
    version: 2,
    compared_with: 1,
    verdict: 'breaking',
    schema_url: 'https://docs.acme.example/events/schemas/note.left/2.json',
  })
})
