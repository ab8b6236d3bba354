/** What members were asked and a leader has decided, until a majority has it: then it stands in the log. */
interface Note {
  readonly zxid: bigint
  readonly write: () => void
}

export class Notebook {
  #notes: Note[] = []

  add(zxid: bigint, write: () => void): void {
    this.#notes.push({ zxid, write })
  }

  /** All up to `zxid` has happened. */
  writeUpTo(zxid: bigint): void {
    while (this.#notes.length > 0 && this.#notes[0]!.zxid <= zxid) this.#notes.shift()!.write()
  }

  /** The rest never happened. */
  clear(): void {
    this.#notes = []
  }
}
