import { describe, expect, test } from 'vitest'
import { type Operation, operationByCode, operations } from '../../../src/protocol/operations.ts'
import { schema } from '../../../src/protocol/schema.ts'

const all: readonly (readonly [string, Operation])[] = Object.entries(operations)

/** Every opcode of Apache ZooKeeper 3.9 that a client may send. */
const opcodesOfClients = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 22],
  ...[100, 101, 102, 103, 104, 105, 106, 107, -11],
]

describe('operations', () => {
  test('are all that clients may send, each once', () => {
    expect(all.map(([, { code }]) => code).sort()).toEqual(opcodesOfClients.sort())
  })

  test('carry the name they are found by', () => {
    for (const [name, operation] of all) expect(operation.name).toBe(name)
  })

  test('are found by their code', () => {
    expect([...operationByCode.values()]).toEqual(all.map(([, operation]) => operation))
    for (const [, operation] of all) expect(operationByCode.get(operation.code)).toBe(operation)
  })

  test('that servers keep to themselves are not found', () => {
    for (const code of [0, -1, -10, 10, 20]) expect(operationByCode.has(code)).toBe(false)
  })

  test('name a path exactly if their request has one, and it is a string', () => {
    for (const [name, { request, path }] of all) {
      const fields = schema[request.name]?.fields ?? {}
      const field = ['path', 'prefixPath'].find((candidate) => candidate in fields) ?? null
      expect(path, name).toBe(field)
      if (field !== null) expect(fields[field]!.kind, name).toMatch(/^(ustring|nullableUstring)$/)
    }
  })

  test('leave a watch exactly if their request can ask for one', () => {
    for (const [name, { request, watch }] of all) {
      const fields = schema[request.name]?.fields ?? {}
      expect(watch !== null, name).toBe('watch' in fields || 'mode' in fields)
    }
  })

  test('are writes exactly if the server gives them a zxid of their own', () => {
    const writes = all.filter(([, { effect }]) => effect === 'write').map(([name]) => name)
    expect(writes.sort()).toEqual(
      [
        ...['create', 'create2', 'createContainer', 'createTTL', 'delete', 'multi', 'reconfig'],
        ...['setACL', 'setData'],
      ].sort(),
    )
  })

  test('say since which version servers know them', () => {
    for (const [name, { since }] of all) expect(since, name).toMatch(/^3\.\d+(\.\d+)?$/)
  })
})
