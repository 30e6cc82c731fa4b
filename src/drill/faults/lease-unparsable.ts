import { defineFault } from '../fault.ts';

/** flannel's parser takes no /32: five bits do not hold it. */
const JUNK = '10.244.241.7-32';

export default defineFault({
  name: 'lease-unparsable',
  check: 'lease-unparsable',
  title: 'a key that is no subnet stands among the leases',
  also: [],
  repair: 'heal',
  inject: ({ raw }) => raw.put(JUNK, '{"PublicIP":"203.0.113.77"}'),
  heal: ({ raw }) => raw.delete(JUNK),
});
