import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { canaries } from '../../canaries/canaries.ts'

// `npm run test:canaries` plants them and takes a while; whoever changes one of these lines learns of it
// here at once.

test.each(canaries)('canary: "$name" can be planted', ({ file, edits }) => {
  const source = readFileSync(file, 'utf8')
  for (const [original] of edits) {
    expect(source.split(original), `${file} must have once: ${original}`).toHaveLength(2)
  }
})
