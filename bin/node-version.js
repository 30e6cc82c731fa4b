/** Ends with one sentence on another Node than the one flannelctl is built and tested on. */
export function requireNode24() {
  if (process.versions.node.startsWith('24.')) return;
  process.stderr.write(
    `Error: flannelctl runs on Node 24, and this is ${process.version} (${process.execPath}).\n` +
      'Run dist/flannelctl, which has its own, or node_modules/.bin/node of the checkout.\n',
  );
  process.exit(64);
}
