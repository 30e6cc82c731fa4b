import { generateCheckList } from './check-list.ts';
import { generateManifest } from './manifest.ts';
import { generateRegistry } from './registry.ts';

generateRegistry();
await generateCheckList();
await generateManifest();
