/** Runs inside a namespace: one call of the live host's sockets, the target as JSON in the argument, the outcome on standard output. */
import { liveHost } from '../../src/host/live.ts';

const [, , method = '', target = '{}'] = process.argv;
const host = liveHost({ root: '/' });
const outcome = await (method === 'udp' ? host.udp(JSON.parse(target)) : host.connect(JSON.parse(target)));
process.stdout.write(JSON.stringify(outcome));
