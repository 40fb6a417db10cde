// What a script can add to pages that are whole without one: tabs, copying, search, and folded lists on a phone. Plain
// JavaScript for any browser of the last years; nothing is loaded but search.js, and nothing is sent.

const root = document.body.dataset.root ?? '.'

// Tabs. The choice of a language holds for all pages.
const chosenKey = 'posthorn-docs-tab:'
for (const [number, tabs] of document.querySelectorAll('.tabs').entries()) {
  const label = tabs.dataset.label ?? 'Variant'
  const panels = [...tabs.querySelectorAll(':scope > .tab')]
  const list = document.createElement('div')
  list.className = 'tab-list'
  list.setAttribute('role', 'tablist')
  list.setAttribute('aria-label', label)
  const buttons = panels.map((panel, index) => {
    const button = document.createElement('button')
    button.type = 'button'
    button.id = `tab-${number}-${index}`
    button.textContent = panel.querySelector(':scope > .tab-name')?.textContent ?? String(index + 1)
    button.setAttribute('role', 'tab')
    panel.id ||= `panel-${number}-${index}`
    panel.setAttribute('role', 'tabpanel')
    panel.removeAttribute('aria-label')
    panel.setAttribute('aria-labelledby', button.id)
    button.setAttribute('aria-controls', panel.id)
    button.addEventListener('click', () => {
      choose(index)
      remember(chosenKey + label, button.textContent)
    })
    button.addEventListener('keydown', (event) => {
      const next = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: buttons.length - 1 }[event.key]
      if (next === undefined) return
      event.preventDefault()
      const chosen = buttons[(next + buttons.length) % buttons.length]
      chosen.focus()
      chosen.click()
    })
    list.append(button)
    return button
  })
  function choose(chosen) {
    for (const [index, panel] of panels.entries()) {
      panel.hidden = index !== chosen
      buttons[index].setAttribute('aria-selected', String(index === chosen))
      buttons[index].tabIndex = index === chosen ? 0 : -1
    }
  }
  tabs.prepend(list)
  tabs.classList.add('live')
  const remembered = recall(chosenKey + label)
  choose(
    Math.max(
      0,
      buttons.findIndex((button) => button.textContent === remembered),
    ),
  )
}

// Copying. What was done is said where a screen reader hears it too.
const said = document.createElement('p')
said.className = 'said'
said.setAttribute('role', 'status')
document.body.append(said)
for (const figure of document.querySelectorAll('figure.code')) {
  if (navigator.clipboard === undefined) break
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'copy'
  button.textContent = 'Copy'
  button.setAttribute('aria-label', `Copy: ${figure.querySelector('figcaption')?.textContent ?? 'code'}`)
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(figure.querySelector('code')?.textContent ?? '')
      button.textContent = 'Copied'
    } catch {
      button.textContent = 'Not allowed'
    }
    said.textContent = button.textContent
    setTimeout(() => {
      button.textContent = 'Copy'
      said.textContent = ''
    }, 2000)
  })
  figure.append(button)
}

// What is wider than its place is scrolled by keyboard, and has to be reached for that. The rest need not be.
const scrolled = document.querySelectorAll('.table[tabindex], .code pre[tabindex]')
function judgeWidths() {
  for (const one of scrolled) {
    if (one.clientWidth === 0) continue
    one.tabIndex = one.scrollWidth > one.clientWidth ? 0 : -1
  }
}
judgeWidths()
addEventListener('resize', judgeWidths)
document.addEventListener('click', judgeWidths)

// On a narrow screen the lists of pages and places are folded; beside the page, the page itself is in sight.
if (matchMedia('(max-width: 48rem)').matches) {
  for (const folded of document.querySelectorAll('nav.pages details, nav.contents details')) folded.open = false
} else {
  const pages = document.querySelector('nav.pages')
  const current = pages?.querySelector('[aria-current]')
  if (current && current.offsetTop > pages.clientHeight) pages.scrollTop = current.offsetTop - pages.clientHeight / 2
}

// Search: pages, their sections, event types and their fields. The list is loaded when somebody asks.
const search = document.querySelector('.search')
const input = document.querySelector('#search')
const results = document.querySelector('#results')
const found = document.querySelector('.found')
const status = document.querySelector('#found')
const shownMax = 20
let entries
let selected = 0

search.hidden = false
input.placeholder = 'Search ( / )'
input.addEventListener('focus', load, { once: true })
input.addEventListener('focus', show)
input.addEventListener('input', show)
search.addEventListener('focusout', (event) => {
  if (!search.contains(event.relatedTarget)) close()
})
// A press on a result must not take the focus from the input, or the list would be gone before the click.
found.addEventListener('mousedown', (event) => event.preventDefault())
input.addEventListener('keydown', (event) => {
  const items = [...results.children]
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    event.preventDefault()
    const step = event.key === 'ArrowDown' ? 1 : -1
    select(items, (selected + step + items.length) % Math.max(1, items.length))
    items[selected]?.scrollIntoView({ block: 'nearest' })
  } else if (event.key === 'Enter') {
    items[selected]?.click()
  } else if (event.key === 'Escape') {
    input.value = ''
    close()
  }
})
document.addEventListener('keydown', (event) => {
  const writes = event.target instanceof HTMLElement && event.target.matches('input, textarea, select')
  const asks = event.key === '/' && !writes && !event.ctrlKey && !event.metaKey && !event.altKey
  if (asks || (event.key === 'k' && (event.ctrlKey || event.metaKey))) {
    event.preventDefault()
    input.focus()
    input.select()
  }
})

/** As a script, because a page that was opened from a folder may load nothing else. */
function load() {
  const script = document.createElement('script')
  script.src = `${root}/search.js`
  script.addEventListener('load', () => {
    entries = globalThis.searchEntries
    show()
  })
  script.addEventListener('error', () => {
    entries = []
    show()
  })
  document.head.append(script)
}

function show() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean)
  results.replaceChildren()
  if (words.length === 0 || entries === undefined) return close()
  const all = ranked(words)
  for (const [index, { title, below, address }] of all.slice(0, shownMax).entries()) {
    const item = document.createElement('li')
    item.id = `result-${index}`
    item.setAttribute('role', 'option')
    item.textContent = title
    const line = document.createElement('span')
    line.textContent = below
    item.append(line)
    item.addEventListener('click', () => {
      close()
      location.href = address
    })
    results.append(item)
  }
  results.hidden = all.length === 0
  found.hidden = false
  status.textContent =
    all.length === 0
      ? `Nothing found for “${input.value.trim()}”. Try the name of an event type or a field, or fewer words.`
      : all.length > shownMax
        ? `${shownMax} of ${all.length} results. Another word narrows them down.`
        : `${all.length} ${all.length === 1 ? 'result' : 'results'}`
  input.setAttribute('aria-expanded', String(all.length > 0))
  select([...results.children], 0)
}

function close() {
  found.hidden = true
  status.textContent = ''
  input.setAttribute('aria-expanded', 'false')
  input.removeAttribute('aria-activedescendant')
}

/** The best first: what a title says counts more than what a field is called, and that more than what a text says. */
function ranked(words) {
  const scored = []
  for (const { path, title, below, text = '', fields = [] } of entries) {
    const [name, about] = [title.toLowerCase(), `${below} ${text}`.toLowerCase()]
    const paths = fields.map((field) => field.toLowerCase())
    let score = 0
    let field
    for (const word of words) {
      const at = paths.findIndex((one) => lastOf(one) === word)
      const near = at >= 0 ? at : paths.findIndex((one) => one.includes(word))
      if (name === word) score += 9
      else if (name.startsWith(word)) score += 6
      else if (name.includes(word)) score += 5
      else if (name.includes(stemOf(word))) score += 4
      else if (near >= 0) score += at >= 0 ? 3 : 2
      else if (about.includes(word)) score += 1
      else if (about.includes(stemOf(word))) score += 0.5
      else {
        score = 0
        break
      }
      if (near >= 0 && !name.includes(stemOf(word))) field = fields[near]
    }
    if (score === 0) continue
    const [page, place = field] = path.split('#')
    const address = `${root}/${page.split('/').map(encodeURIComponent).join('/')}`
    scored.push({
      title,
      below: field === undefined ? below : `${field} · ${below}`,
      address: place === undefined ? address : `${address}#${encodeURIComponent(place)}`,
      score,
    })
  }
  return scored.sort((one, other) => other.score - one.score)
}

/** What “rotate” and “rotating”, “retry” and “retries” have in common. Short words are left whole. */
function stemOf(word) {
  return word.length < 5 ? word : word.slice(0, word.length < 6 ? -1 : -2)
}

function lastOf(path) {
  return path.slice(path.lastIndexOf('.') + 1)
}

function select(items, index) {
  selected = index
  for (const [at, item] of items.entries()) item.setAttribute('aria-selected', String(at === index))
  if (items[index] === undefined) input.removeAttribute('aria-activedescendant')
  else input.setAttribute('aria-activedescendant', items[index].id)
}

function remember(key, value) {
  try {
    localStorage.setItem(key, value)
  } catch {
    // A browser that keeps nothing shows the first tab again.
  }
}

function recall(key) {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}
