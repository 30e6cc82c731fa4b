/** flannelctl as it stands in src, without the build: runs inside a namespace. */
import { main } from '../../src/cli.ts';

await main(process.argv.slice(2));
