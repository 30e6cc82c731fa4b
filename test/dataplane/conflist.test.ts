import { describe, expect, it } from 'vitest';
import { judgeConflist, renderConflist } from '../../src/dataplane/conflist.ts';

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

describe('judgeConflist', () => {
  const HERE = { subnetFile: '/run/flannel/subnet.env' };
  const ELSEWHERE = { subnetFile: '/var/lib/other/subnet.env' };
  const customised = (plugin: object) =>
    JSON.stringify({
      name: 'cbr0',
      cniVersion: '1.0.0',
      plugins: [{ type: 'flannel', ...plugin }, { type: 'bandwidth' }],
    });

  it.each([
    ['nothing is there', undefined, 'write'],
    ['it is as rendered', renderConflist(HERE), 'in-order'],
    ['it is as flannel ships it, in one line', JSON.stringify(JSON.parse(renderConflist(HERE))), 'in-order'],
    ['it is as flannel ships it, for another subnet.env', renderConflist(ELSEWHERE), 'write'],
    ['it has settings of its own and reads this subnet.env', customised({}), 'in-order'],
    ['it has settings of its own and reads another', customised(ELSEWHERE), 'foreign'],
    ['it is one plugin alone, flannel', '{"name":"n","type":"flannel"}', 'in-order'],
    ['it is of another plugin', '{"name":"n","plugins":[{"type":"calico"}]}', 'foreign'],
    ['it is no JSON', 'name: cbr0', 'foreign'],
    ['it is a list', '[]', 'foreign'],
    ['it is empty', '', 'foreign'],
  ])('is right when %s', (_what, text, expected) => {
    expect(judgeConflist(text, HERE).kind).toBe(expected);
  });
});
