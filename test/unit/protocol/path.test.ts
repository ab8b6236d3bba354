import { describe, expect, test } from 'vitest'
import {
  parentPath,
  prependChroot,
  stripChroot,
  validatePath,
  validateSequentialPath,
} from '../../../src/protocol/path.ts'

describe('validatePath', () => {
  test.for([
    '/',
    '/a',
    '/a/b/c',
    '/...',
    '/.a',
    '/a.',
    '/..a',
    '/a/.../b',
    '/ ',
    '/a b',
    '/~',
    '/\u00a0',
    '/é€',
    '/\ud7ff',
    '/\uf900',
    '/\uffef',
  ])('accepts %j', (path) => {
    expect(() => validatePath(path)).not.toThrow()
  })

  test.for([
    ['', 'a path cannot be empty'],
    ['a', 'a path starts with "/"'],
    ['a/b', 'a path starts with "/"'],
    ['/a/', 'a path does not end with "/"'],
    ['//', 'a path has no empty segment'],
    ['/a//b', 'a path has no empty segment'],
    ['/.', 'a path has no "." segment'],
    ['/./a', 'a path has no "." segment'],
    ['/a/.', 'a path has no "." segment'],
    ['/..', 'a path has no ".." segment'],
    ['/a/../b', 'a path has no ".." segment'],
    ['/\0', 'a path cannot contain U+0000'],
    ['/a\u0001', 'a path cannot contain U+0001'],
    ['/a\u001fb', 'a path cannot contain U+001F'],
    ['/\u007f', 'a path cannot contain U+007F'],
    ['/\u009f', 'a path cannot contain U+009F'],
    ['/\u{1f600}', 'a path cannot contain U+D83D'],
    ['/\ud800', 'a path cannot contain U+D800'],
    ['/\uf8ff', 'a path cannot contain U+F8FF'],
    ['/\ufff0', 'a path cannot contain U+FFF0'],
    ['/\uffff', 'a path cannot contain U+FFFF'],
  ] as const)('refuses %j: %s', ([path, fault]) => {
    expect(() => validatePath(path)).toThrow(
      expect.objectContaining({
        code: 'BAD_ARGUMENTS',
        path,
        message: expect.stringContaining(fault) as string,
      }),
    )
  })

  test.for([undefined, null, 7, {}, Symbol('/a'), Object.create(null)])(
    'refuses what is no string, and does not fail to say so (case %#)',
    (value) => {
      for (const validate of [validatePath, validateSequentialPath]) {
        expect(() => validate(value as string)).toThrow(
          expect.objectContaining({ code: 'BAD_ARGUMENTS', path: null }),
        )
      }
    },
  )
})

describe('validateSequentialPath', () => {
  test.for(['/', '/a/', '/a/.', '/a/..', '/a/n-'])('accepts %j, as digits will follow', (path) => {
    expect(() => validateSequentialPath(path)).not.toThrow()
  })

  test.for(['', 'a', '/a//', '/./n-', '/a\0'])('refuses %j, digits or not', (path) => {
    expect(() => validateSequentialPath(path)).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENTS', path }),
    )
  })
})

describe('a chroot', () => {
  test.for([
    ['', '/', '/'],
    ['', '/a', '/a'],
    ['/app', '/', '/app'],
    ['/app', '/a/b', '/app/a/b'],
    ['/app', '/app', '/app/app'],
  ] as const)('%j makes %j %j, and back', ([chroot, path, onServer]) => {
    expect(prependChroot(chroot, path)).toBe(onServer)
    expect(stripChroot(chroot, onServer)).toBe(path)
  })

  test.for(['/', '/other', '/ap', '/apple', '/apple/a', '/zookeeper/config'])(
    'leaves %j alone, which is outside of it',
    (path) => {
      expect(stripChroot('/app', path)).toBe(path)
    },
  )
})

test.for([
  ['/', '/'],
  ['/a', '/'],
  ['/a/b', '/a'],
  ['/a/b/c', '/a/b'],
] as const)('the parent of %s is %s', ([path, parent]) => {
  expect(parentPath(path)).toBe(parent)
})
