/**
 * Draws the pictures of docs/architecture.md from the code's own tables: the layers, and the states
 * of session and link. A test fails if the page shows something else.
 *
 * Run by `npm run draw`.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { linkTransitions, sessionTransitions } from '../src/session/state.ts'

const page = fileURLToPath(new URL('../docs/architecture.md', import.meta.url))
const sources = fileURLToPath(new URL('../src/', import.meta.url))
const layers = createRequire(import.meta.url)('./layers.cjs') as Record<string, string[]>

/** The page with its pictures drawn anew. */
export function drawArchitecture(text: string): string {
  const pictures = {
    layers: drawLayers(),
    session: drawStates(sessionTransitions),
    link: drawStates(linkTransitions),
  }
  return Object.entries(pictures).reduce((drawn, [name, picture]) => {
    const frame = new RegExp(`(<!-- drawn: ${name} -->\n)[^]*?(<!-- end -->)`)
    if (!frame.test(drawn)) throw new Error(`architecture.md has no place for "${name}"`)
    return drawn.replace(frame, `$1\n\`\`\`mermaid\n${picture}\n\`\`\`\n\n$2`)
  }, text)
}

/** Layers that exist, each pointing at those it may import. */
function drawLayers(): string {
  const present = Object.entries(layers).filter(([layer]) => existsSync(sources + layer))
  const arrows = present.flatMap(([layer, imports]) => imports.map((to) => `  ${layer} --> ${to}`))
  return ['flowchart RL', '  index --> client', '  index --> node', ...arrows].join('\n')
}

function drawStates(table: Readonly<Record<string, Readonly<Record<string, string>>>>): string {
  const [first = ''] = Object.keys(table)
  const id = (state: string) => state.replaceAll('-', '_')
  const arrows = Object.entries(table).flatMap(([from, row]) => {
    return [...new Set(Object.values(row))].map((to) => {
      const triggers = Object.keys(row).filter((trigger) => row[trigger] === to)
      return `  ${id(from)} --> ${id(to)}: ${triggers.join(', ')}`
    })
  })
  const ends = Object.entries(table)
    .filter(([, row]) => Object.keys(row).length === 0)
    .map(([state]) => `  ${id(state)} --> [*]`)
  return ['stateDiagram-v2', `  [*] --> ${id(first)}`, ...arrows, ...ends].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(page, drawArchitecture(readFileSync(page, 'utf8')))
}
