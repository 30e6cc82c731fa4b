import { generateManifest } from './manifest.ts';
import { generateRegistry } from './registry.ts';

generateRegistry();
await generateManifest();
