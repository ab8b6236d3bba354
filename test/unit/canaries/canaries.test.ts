import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { canaries } from '../../canaries/canaries.ts'
import { testedCanaries } from '../../canaries/tested-canaries.ts'

// `npm run test:canaries` plants them and takes a while; whoever changes one of these lines learns of it
// here at once.

test.each([...canaries, ...testedCanaries])('canary: "$name" can be planted', ({ file, edits }) => {
  const source = readFileSync(file, 'utf8')
  for (const [original] of edits) {
    expect(source.split(original), `${file} must have once: ${original}`).toHaveLength(2)
  }
})

test.each(testedCanaries)('canary: "$name" has a test', ({ foundBy: [file, title] }) => {
  const source = readFileSync(file, 'utf8')
  expect(["'", '`'].some((quote) => source.includes(quote + title + quote))).toBe(true)
})
