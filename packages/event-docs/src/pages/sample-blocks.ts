/** Samples of code as they are shown: with how to set up and start each, and whether it was ever run. */
import { type Block, type Blocks, codeBlock, list, mark, paragraph, type Tab } from '../page/blocks.ts'
import type { Language } from '../samples/manifest.ts'
import type { Sample } from '../samples/samples.ts'
import { publishedSecret } from '../signed-delivery.ts'

const inWords = new Intl.ListFormat('en-GB', { type: 'conjunction' })
/** As highlighters call them. */
const highlighted: Readonly<Record<Language, string>> = {
  node: 'js',
  python: 'python',
  go: 'go',
  ruby: 'ruby',
  php: 'php',
  java: 'java',
  csharp: 'csharp',
  rust: 'rust',
  shell: 'sh',
}

/** One tab for each language, in the order of the samples; in it one for each framework, where there are several. */
export function sampleTabs(samples: readonly Sample[]): Tab[] {
  const languages = Map.groupBy(samples, ({ languageName }) => languageName)
  return [...languages].map(([name, members]) => {
    const tabs = members.map((sample) => ({ name: sample.framework, blocks: sampleBlocks(sample) }))
    const [only] = tabs
    if (tabs.length === 1 && only !== undefined) return { name, blocks: only.blocks }
    return { name, blocks: [{ kind: 'tabs', label: `Framework for ${name}`, tabs }] }
  })
}

function sampleBlocks(sample: Sample): Blocks {
  const { title, fileName, language, text, install, start } = sample
  return [
    // First, because some tools make a project only where there is nothing yet.
    ...(install === undefined ? [] : [codeBlock('sh', install.replaceAll(' && ', ' &&\n  '), `Set up ${title}`)]),
    codeBlock(highlighted[language], text, `${title}: ${fileName}`),
    codeBlock('sh', `WEBHOOK_SECRET=${publishedSecret} \\\n  ${start}`, `Start ${title}`),
    ...runBlocks(sample),
  ]
}

function runBlocks({ run }: Sample): Block[] {
  if (!run.ran) return [paragraph(mark('not tested', 'warning'), ` ${run.why}.`)]
  const { with: version, libraries, requests, differs } = run
  const all = inWords.format([version, ...libraries])
  const tested = paragraph(mark('tested', 'good'), ` with ${all} against ${requests} of the test vectors.`)
  if (differs.length === 0) return [tested]
  return [
    tested,
    {
      kind: 'details',
      summary: `${differs.length} unusual requests that it judges otherwise`,
      blocks: [
        paragraph(
          'They come from the library or the server, and are harmless: each of these requests has a valid signature, but a header or a body that is not as it is sent.',
        ),
        list(...differs.map((name) => [name])),
      ],
    },
  ]
}
