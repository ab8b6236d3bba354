import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ZooKeeperError } from '../../src/protocol/errors.ts'
import {
  parentPath,
  prependChroot,
  stripChroot,
  validatePath,
  validateSequentialPath,
} from '../../src/protocol/path.ts'
import { units } from './schema-arbitraries.ts'

const segment = fc.string({ minLength: 1, unit: 'grapheme-ascii' }).map((name) => {
  const plain = name.replaceAll('/', '-')
  return plain === '.' || plain === '..' ? `${plain}-` : plain
})
const validPath = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`)
const chroot = validPath.map((path) => (path === '/' ? '' : path))

/** Text made of the characters that rules are about. */
const nearPath = fc
  .array(
    fc.constantFrom(
      '/',
      '/',
      '.',
      '..',
      '/../',
      'a',
      'b',
      '\0',
      '\u007f',
      '\ud83d',
      '\ude00',
      '\uffff',
      'é',
    ),
  )
  .map((characters) => characters.join(''))

describe('paths', () => {
  test('made of ordinary segments are valid', () => {
    fc.assert(fc.property(validPath, (path) => validatePath(path)))
  })

  test('are accepted as a server does: by rules that a regular expression can also state', () => {
    const refused = /[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/
    fc.assert(
      fc.property(fc.oneof(nearPath, units), (path) => {
        const segments = path.slice(1).split('/')
        const isValid =
          path === '/' ||
          (path.startsWith('/') &&
            !segments.some((name) => name === '' || name === '.' || name === '..') &&
            !refused.test(path))
        expect(isAccepted(validatePath, path)).toBe(isValid)
      }),
      { numRuns: 1_000 },
    )
  })

  test('may be sequential exactly if they are valid with a digit behind them', () => {
    fc.assert(
      fc.property(nearPath, (path) => {
        expect(isAccepted(validateSequentialPath, path)).toBe(isAccepted(validatePath, `${path}0`))
      }),
    )
  })

  test('come back unchanged from a chroot', () => {
    fc.assert(
      fc.property(chroot, validPath, (root, path) => {
        expect(stripChroot(root, prependChroot(root, path))).toBe(path)
      }),
    )
  })

  test('stay valid in a chroot, and when they leave one', () => {
    fc.assert(
      fc.property(chroot, validPath, (root, path) => {
        validatePath(prependChroot(root, path))
        validatePath(stripChroot(root, path))
      }),
    )
  })

  test('lead to the root from parent to parent', () => {
    fc.assert(
      fc.property(validPath, (path) => {
        let depth = 0
        for (let at = path; at !== '/'; at = parentPath(at)) depth++
        expect(depth).toBe(path === '/' ? 0 : path.split('/').length - 1)
      }),
    )
  })
})

function isAccepted(validate: (path: string) => void, path: string): boolean {
  try {
    validate(path)
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(ZooKeeperError)
    expect(error).toMatchObject({ code: 'BAD_ARGUMENTS', path })
    return false
  }
}
