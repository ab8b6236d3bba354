import { expect, test } from 'vitest'
import { isZooKeeperError, TransactionError } from '../../../src/index.ts'

test('a TransactionError can be made of what it says, by whoever tests its handling', () => {
  const codes = [null, 'NODE_EXISTS', 'RUNTIME_INCONSISTENCY'] as const
  const error = new TransactionError(1, codes, { op: 'create2', path: '/a' })
  expect(isZooKeeperError(error, 'NODE_EXISTS')).toBe(true)
  expect(error).toMatchObject({ index: 1, codes, op: 'create2', path: '/a' })
  expect(error).toMatchObject({ errno: -110, outcome: 'not-applied' })
})
