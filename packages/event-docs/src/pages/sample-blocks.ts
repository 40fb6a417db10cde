/** Samples of code as they are shown: with how to install what each needs, and whether it was ever run. */
import { type Block, codeBlock, mark, paragraph, type Tab } from '../page/blocks.ts'
import type { Language } from '../samples/manifest.ts'
import type { Sample } from '../samples/samples.ts'

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

/** One tab for each language, in the order of the samples. */
export function sampleTabs(samples: readonly Sample[]): Tab[] {
  const tabs = new Map<string, Block[]>()
  for (const sample of samples) {
    const blocks = tabs.get(sample.languageName) ?? []
    blocks.push(...sampleBlocks(sample))
    tabs.set(sample.languageName, blocks)
  }
  return [...tabs].map(([name, blocks]) => ({ name, blocks }))
}

function sampleBlocks(sample: Sample): Block[] {
  const { title, fileName, language, text, install, start, run } = sample
  const commands = [...(install === undefined ? [] : [install]), `WEBHOOK_SECRET=whsec_… ${start}`]
  return [
    codeBlock(highlighted[language], text, `${title}: ${fileName}`),
    codeBlock('sh', commands.join('\n'), `Running ${title}`),
    run.ran
      ? paragraph(
          mark('run', 'good'),
          ` with ${run.with}, against ${run.requests} of the published test vectors.${differing(run.differs)}`,
        )
      : paragraph(mark('never run', 'warning'), ` ${run.why}.`),
  ]
}

function differing(names: readonly string[]): string {
  if (names.length === 0) return ''
  return ` Its library judges ${names.length} of them otherwise (none is a forgery): ${names.join('; ')}.`
}
