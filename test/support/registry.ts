import { generateRegistry } from '../../scripts/registry.ts';

/** Before the first suite: what tests import from src/generated is what the folders hold now. */
export default function setup(): void {
  generateRegistry();
}
