import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { expect, test } from 'vitest'
import { drawArchitecture } from '../../../scripts/draw-architecture.ts'

const page = fileURLToPath(new URL('../../../docs/architecture.md', import.meta.url))

test('the pictures of architecture.md are those of the tables (else: npm run draw)', async () => {
  const text = readFileSync(page, 'utf8')
  const options = { ...(await resolveConfig(page)), filepath: page }
  expect(await format(drawArchitecture(text), options)).toBe(text)
})
