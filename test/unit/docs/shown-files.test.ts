import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')

test('docs/security.md shows examples/gssapi.ts as it is', () => {
  const shown = /<!-- file: examples\/gssapi.ts -->\s+```ts\n(.*?)```/s.exec(
    read('docs/security.md'),
  )
  expect(shown?.[1]).toBe(read('examples/gssapi.ts'))
})
