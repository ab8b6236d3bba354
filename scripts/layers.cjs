// Which folder of src may import which others. The dependency rules are made from this table, and
// docs/architecture.md is drawn from it.
//
// `node` (the impure edge) knows session and protocol, `testing` (the server) protocol alone,
// `simulation` joins everything in virtual time, `cli` uses the public entry like any user. Only
// src/index.ts brings `client` and `node` together.
module.exports = {
  protocol: [],
  session: ['protocol'],
  node: ['session', 'protocol'],
  client: ['session', 'protocol'],
  recipes: ['client'],
  testing: ['protocol'],
  simulation: ['protocol', 'session', 'node', 'client', 'recipes', 'testing'],
  cli: [],
}
