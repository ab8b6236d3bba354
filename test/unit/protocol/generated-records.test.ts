import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { expect, test } from 'vitest'
import { generateRecords } from '../../../scripts/generate-records.ts'

const file = fileURLToPath(new URL('../../../src/protocol/records.ts', import.meta.url))

test('records.ts is what `npm run generate` prints from the schema', async () => {
  const options = { ...(await resolveConfig(file)), filepath: file }
  expect(await readFile(file, 'utf8')).toBe(await format(generateRecords(), options))
})
