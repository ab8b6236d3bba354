/** How servers put things in their answers to the words of four letters. */

export function linesOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}

/** Java prints a negative number by its 64 bits. */
export function hexOf(id: bigint): string {
  return `0x${BigInt.asUintN(64, id).toString(16)}`
}

/** `Tue Nov 24 15:57:03 UTC 2026`, as Java's `Date` has it. */
export function dateOf(ms: number): string {
  const [day = '', date, month, year, time] = new Date(ms).toUTCString().split(' ')
  return `${day.slice(0, 3)} ${month} ${date} ${time} UTC ${year}`
}
