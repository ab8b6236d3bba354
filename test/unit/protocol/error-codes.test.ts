import { describe, expect, test } from 'vitest'
import { errorCodeOf, errorCodes } from '../../../src/protocol/error-codes.ts'

/** `KeeperException.Code`, and two codes that only the C client has. */
const numbersOfServers = [
  ...[-1, -2, -3, -4, -5, -6, -7, -8, -12, -13, -14],
  ...[-100, -101, -102, -103, -108, -110, -111, -112, -113, -114, -115, -116, -117, -118, -119],
  ...[-120, -121, -122, -123, -124, -125, -127],
]

describe('error codes', () => {
  test('know every number that a server may answer, and no other', () => {
    const numbers = Object.values(errorCodes).flatMap(({ errno }) => errno ?? [])
    expect(numbers.sort((a, b) => b - a)).toEqual(numbersOfServers)
  })

  test('are found by their number', () => {
    for (const [code, { errno }] of Object.entries(errorCodes)) {
      if (errno !== null) expect(errorCodeOf(errno)).toBe(code)
    }
  })

  test.for([
    [-101, 'NO_NODE'],
    [-103, 'BAD_VERSION'],
    [-110, 'NODE_EXISTS'],
    [-112, 'SESSION_EXPIRED'],
    [-115, 'AUTH_FAILED'],
  ] as const)('call %d %s', ([errno, code]) => {
    expect(errorCodeOf(errno)).toBe(code)
  })

  test.for([0, 1, -9, -126, -128, 2 ** 31 - 1, -(2 ** 31)])('do not know %d', (errno) => {
    expect(errorCodeOf(errno)).toBe('UNKNOWN_ERROR')
  })
})
