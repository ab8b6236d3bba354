import { max, median, min } from 'simple-statistics'

/** What the rounds of one figure look like together. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function spread(values: number[]): Spread {
  return { median: median(values), min: min(values), max: max(values) }
}

/** How one contestant compares with another, each round by itself: they stood side by side. */
export function ratio(own: readonly number[], other: readonly number[]): Spread {
  return spread(own.map((value, round) => value / other[round]!))
}

export function show(figure: Spread | null): string {
  if (figure === null) return ''
  return `${brief(figure.median)} (${brief(figure.min)}–${brief(figure.max)})`
}

/** Three significant digits: the noise is larger than what they leave out. */
function brief(value: number): string {
  if (value >= 1e6) return `${brief(value / 1e6)}M`
  if (value >= 1e4) return `${brief(value / 1e3)}k`
  return `${Number(value.toPrecision(3))}`
}
