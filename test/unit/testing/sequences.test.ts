import { expect, test } from 'vitest'
import { CreateFlags } from '../../../src/protocol/constants.ts'
import { profileOf } from '../../../src/testing/profile.ts'
import { openAcl, Tree } from '../../../src/testing/tree.ts'
import { type WriteContext, writes } from '../../../src/testing/writes.ts'

// A server counts the creates below a znode as an int, and prints it with ten digits, sign and all. Two
// thousand million creates take too long for a test, so the count of the parent is set.

test('behind 2^31-1 comes a sign, as in the servers’ counter', () => {
  const tree = new Tree()
  const context: WriteContext = {
    tree,
    stamp: { zxid: 1n, timeMs: 0 },
    sessionId: 1n,
    ids: [{ scheme: 'ip', id: '127.0.0.1' }],
    options: {
      profile: profileOf('3.9'),
      hasExtendedTypes: true,
      schemes: new Set(['world']),
      enforcesQuotas: false,
    },
  }
  const create = (path: string, flags: number) =>
    writes.create2({ path, data: null, acl: openAcl, flags }, context).path
  create('/a', CreateFlags.persistent)
  const names = (count: number) =>
    Array.from({ length: count }, () => create('/a/-', CreateFlags['persistent-sequential']))
  tree.get('/a')!.childCreates = 2 ** 31 - 1
  expect(names(3)).toEqual(['/a/-2147483647', '/a/--2147483648', '/a/--2147483647'])
  tree.get('/a')!.childCreates = -1
  expect(names(2)).toEqual(['/a/--000000001', '/a/-0000000000'])
})
