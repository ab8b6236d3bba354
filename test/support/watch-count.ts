import { fourLetterWord } from './four-letter-word.ts'

/**
 * How many watches a server holds for all its clients, those on data and those on children. `wchs`
 * counts the former only.
 */
export async function watchCount(port: number): Promise<number> {
  const figures = await fourLetterWord(port, 'mntr')
  const count = /^zk_watch_count\t(\d+)$/m.exec(figures)?.[1]
  if (count === undefined) throw new Error(`no zk_watch_count in: ${figures}`)
  return Number(count)
}
