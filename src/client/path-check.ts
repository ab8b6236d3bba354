/** For recipes, which are given paths and names long before they use them. */
export { validatePath } from '../protocol/path.ts'
