// What a script can add to pages that are whole without one: tabs, copying, search, and the list of pages on a phone.
// Plain JavaScript for any browser of the last years; nothing is loaded but search.json, and nothing is sent.

const root = document.body.dataset.root ?? '.'

// Tabs. The choice of a language holds for all pages.
const chosenKey = 'posthorn-docs-tab:'
for (const tabs of document.querySelectorAll('.tabs')) {
  const label = tabs.dataset.label ?? 'Variant'
  const panels = [...tabs.querySelectorAll(':scope > .tab')]
  const list = document.createElement('div')
  list.className = 'tab-list'
  list.setAttribute('role', 'tablist')
  list.setAttribute('aria-label', label)
  const buttons = panels.map((panel, index) => {
    const button = document.createElement('button')
    button.type = 'button'
    button.textContent = panel.querySelector('.tab-name')?.textContent ?? String(index + 1)
    button.setAttribute('role', 'tab')
    panel.id ||= `tab-${label}-${index}-${[...document.querySelectorAll('.tabs')].indexOf(tabs)}`.replaceAll(
      /\W+/g,
      '-',
    )
    panel.setAttribute('role', 'tabpanel')
    button.setAttribute('aria-controls', panel.id)
    button.addEventListener('click', () => {
      choose(index)
      remember(chosenKey + label, button.textContent)
    })
    button.addEventListener('keydown', (event) => {
      const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
      if (step === 0) return
      const next = (index + step + buttons.length) % buttons.length
      buttons[next].focus()
      buttons[next].click()
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

// Copying.
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
    setTimeout(() => {
      button.textContent = 'Copy'
    }, 1500)
  })
  figure.append(button)
}

// On a phone the list of pages is folded.
const pages = document.querySelector('nav.pages details')
if (pages !== null && matchMedia('(max-width: 48rem)').matches) pages.open = false

// Search: pages by title, summary and names of fields. The list is loaded when somebody asks.
const search = document.querySelector('.search')
const input = document.querySelector('#search')
const results = document.querySelector('#results')
let entries
let selected = 0
if (search !== null && location.protocol !== 'file:') {
  search.hidden = false
  input.addEventListener('focus', load, { once: true })
  input.addEventListener('input', show)
  input.addEventListener('keydown', (event) => {
    const items = [...results.children]
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      const step = event.key === 'ArrowDown' ? 1 : -1
      select(items, (selected + step + items.length) % Math.max(1, items.length))
    } else if (event.key === 'Enter') {
      items[selected]?.click()
    } else if (event.key === 'Escape') {
      input.value = ''
      show()
    }
  })
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && !(event.target instanceof HTMLInputElement)) {
      event.preventDefault()
      input.focus()
    }
  })
}

async function load() {
  try {
    entries = await (await fetch(`${root}/search.json`)).json()
  } catch {
    entries = []
  }
  show()
}

function show() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean)
  results.replaceChildren()
  const found = words.length === 0 || entries === undefined ? [] : ranked(words).slice(0, 20)
  for (const [index, entry] of found.entries()) {
    const item = document.createElement('li')
    item.id = `result-${index}`
    item.setAttribute('role', 'option')
    item.textContent = entry.title
    const below = document.createElement('span')
    below.textContent = entry.summary
    item.append(below)
    item.addEventListener('click', () => {
      location.href = `${root}/${entry.path.split('/').map(encodeURIComponent).join('/')}`
    })
    results.append(item)
  }
  results.hidden = found.length === 0
  input.setAttribute('aria-expanded', String(found.length > 0))
  select([...results.children], 0)
}

function ranked(words) {
  const scored = []
  for (const entry of entries) {
    const title = entry.title.toLowerCase()
    const all = `${title} ${entry.summary} ${entry.words}`.toLowerCase()
    if (!words.every((word) => all.includes(word))) continue
    scored.push({ entry, score: words.filter((word) => title.includes(word)).length })
  }
  return scored.sort((one, other) => other.score - one.score).map(({ entry }) => entry)
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
