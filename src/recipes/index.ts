/**
 * Recipes over the public client. The first ones are on their way; until then this entry is empty, so
 * that the package's shape does not change when they come.
 *
 * @module
 */
export {}
