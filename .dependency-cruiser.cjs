// Who may import whom.
const layers = require('./scripts/layers.cjs')

function layerRule(layer, allowed) {
  const reachable = [layer, ...allowed].join('|')
  const entry = layer === 'cli' ? '|^src/(recipes/|testing/)?index[.]ts$' : ''
  return {
    name: `layer-${layer}`,
    comment: `src/${layer} may import: ${[...allowed, 'itself'].join(', ')}`,
    severity: 'error',
    from: { path: `^src/${layer}/` },
    to: { path: '^src/', pathNot: `^src/(${reachable})/${entry}` },
  }
}

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...Object.entries(layers).map(([layer, allowed]) => layerRule(layer, allowed)),
    {
      name: 'pure-layers-know-no-node',
      comment: 'Bytes and sessions are computed; sockets, timers and files belong to src/node.',
      severity: 'error',
      from: { path: '^src/(protocol|session|recipes)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'client-knows-no-sockets',
      comment: "The client gets a Runtime. A type is no socket: the options of TLS are Node's.",
      severity: 'error',
      from: { path: '^src/client/' },
      to: {
        dependencyTypes: ['core'],
        dependencyTypesNot: ['type-only'],
        path: '^(node:)?(net|tls|dns|timers|fs)(/|$)',
      },
    },
    {
      name: 'every-layer-is-in-the-table',
      comment: 'A new folder under src needs its row above.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: `^src/(${Object.keys(layers).join('|')})/` },
      to: {},
    },
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or lack a third.',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true },
    },
    {
      name: 'src-stands-alone',
      comment: 'Tests, benches and examples are users of src, never the reverse.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|examples|scripts)/' },
    },
    {
      name: 'no-dependencies',
      comment: 'The package has none at run time: what is installed here is for development.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: 'node_modules', pathNot: 'node_modules/@types/node/' },
    },
    {
      name: 'imports-resolve',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true, // an import of a type is an import, too
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.d.ts', '.js'] },
  },
}
