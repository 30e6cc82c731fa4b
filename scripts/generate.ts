import { generateCheckList } from './check-list.ts';
import { generateEtcdDescriptor } from './etcd-descriptor.ts';
import { generateManifest } from './manifest.ts';
import { generateRegistry } from './registry.ts';

generateEtcdDescriptor();
generateRegistry();
await generateCheckList();
await generateManifest();
