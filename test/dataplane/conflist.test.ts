import { describe, expect, it } from 'vitest';
import { renderConflist } from '../../src/dataplane/conflist.ts';

describe('renderConflist', () => {
  it('is the configuration that flannel ships', () => {
    expect(JSON.parse(renderConflist({ subnetFile: '/run/flannel/subnet.env' }))).toEqual({
      name: 'cbr0',
      cniVersion: '0.3.1',
      plugins: [
        { type: 'flannel', delegate: { hairpinMode: true, isDefaultGateway: true } },
        { type: 'portmap', capabilities: { portMappings: true } },
      ],
    });
  });

  it('tells the plugin where subnet.env is when that is not where it looks', () => {
    const { plugins } = JSON.parse(renderConflist({ subnetFile: '/var/lib/a "b"/subnet.env' }));
    expect(plugins[0].subnetFile).toBe('/var/lib/a "b"/subnet.env');
  });
});
