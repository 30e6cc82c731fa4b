/** The drill's stand-in for flanneld: takes its lease, programs the overlay once, and from then on does nothing but exist. */
import { runStandIn } from '../../src/stand-in.ts';

await runStandIn(process.argv.slice(2));
