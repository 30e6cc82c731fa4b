import { defineFault } from '../fault.ts';

export default defineFault({
  name: 'flanneld-not-running',
  check: 'flanneld-not-running',
  title: 'flanneld is ended, and its overlay stays as it was',
  also: [],
  repair: 'heal',
  inject: ({ node }) => node.stopFlanneld(),
  heal: ({ node }) => node.startFlanneld(),
});
