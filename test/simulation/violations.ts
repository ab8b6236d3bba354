/** What a run has shown to be untrue of the client, in sentences; none is what everybody hopes for. */
export class Violations {
  readonly list: string[] = []

  add(sentence: string): void {
    this.list.push(sentence)
  }

  /** Notes the sentence unless `isTrue`. */
  expect(isTrue: boolean, sentence: () => string): void {
    if (!isTrue) this.add(sentence())
  }
}
