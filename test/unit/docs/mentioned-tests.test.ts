import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

// The documents that say which test shows what: a test that is renamed must not leave them behind.

const documents = ['features.md', 'regressions.md', 'failure-scenarios.md', 'security.md']

/** `` `unit/session/close.test.ts` “the name of a test”, “of another” ``. */
const mention = /`([\w/-]+\.test\.ts)`((?:,?\s?“[^”]+”)*)/g

test.each(documents)('%s mentions tests that exist', (name) => {
  const missing: string[] = []
  let count = 0
  for (const { 1: file = '', 2: names = '' } of read(`docs/${name}`).matchAll(mention)) {
    const titles = Array.from(names.matchAll(/“([^”]+)”/g), ({ 1: title = '' }) => {
      return title.replaceAll('\n', ' ') // a paragraph may be wrapped anywhere
    })
    if (titles.length === 0) missing.push(`${file}: no test of it is named`)
    for (const title of titles) {
      count++
      if (!hasTest(`test/${file}`, title)) missing.push(`${file}: ${title}`)
    }
  }
  expect(missing).toEqual([])
  expect(count).toBeGreaterThan(30)
})

test.each(documents)('%s shows every row that it calls done by a test', (name) => {
  const rows = read(`docs/${name}`).match(/^\| .*\| Y +\|.*$/gm) ?? []
  for (const row of rows) expect(row).toMatch(/`[\w/-]+\.(test\.ts|js|ts)`/)
})

/** The title is the whole of a string in that file, or of one of its templates. */
function hasTest(path: string, title: string): boolean {
  if (!existsSync(path)) return false
  const source = read(path)
  return ["'", '`', '"'].some((quote) => source.includes(quote + title + quote))
}

function read(path: string): string {
  return readFileSync(path, 'utf8')
}
