import { InvalidArgumentError } from 'commander'

export function positiveNumber(text: string): number {
  const value = Number(text)
  if (value > 0) return value
  throw new InvalidArgumentError('It is a number above 0.')
}
