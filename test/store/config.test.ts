import { describe, expect, test } from 'vitest';
import { checkNetworkConfig, parseNetworkConfig } from '../../src/store/config.ts';

const parse = (document: unknown) => parseNetworkConfig(JSON.stringify(document));
const check = (document: unknown) => checkNetworkConfig(parse(document).config);
const vxlan = { Backend: { Type: 'vxlan' } };

describe('parsing', () => {
  test('fills in the defaults of flannel', () => {
    expect(parse({ Network: '10.244.0.0/16', ...vxlan }).config).toEqual({
      enableIPv4: true,
      enableIPv6: false,
      enableNFTables: false,
      network: '10.244.0.0/16',
      ipv6Network: null,
      subnetLen: null,
      subnetMin: null,
      subnetMax: null,
      ipv6SubnetLen: null,
      ipv6SubnetMin: null,
      ipv6SubnetMax: null,
      backend: {
        type: 'vxlan',
        vni: 1,
        port: null,
        outerMtuBytes: null,
        gbp: false,
        learning: false,
        directRouting: false,
      },
    });
  });

  test('clears host bits of a network', () => {
    expect(parse({ Network: '10.244.3.7/16', ...vxlan }).config.network).toBe('10.244.0.0/16');
  });

  test('takes the last of several spellings of a name, wherever the first one stood', () => {
    const text =
      '{"Network":"10.1.0.0/16","network":"10.2.0.0/16","Network":"10.3.0.0/16","NETWORK":"10.4.0.0/16","Network":"10.5.0.0/16"}';
    expect(parseNetworkConfig(text).config.network).toBe('10.5.0.0/16');
  });

  test('is not confused by names inside other values', () => {
    const text = '{"X":{"Network":"10.1.0.0/16"},"Network":"10.2.0.0/16","Y":"\\",\\"Network\\":","Z":[{"Network":1}]}';
    expect(parseNetworkConfig(text).config.network).toBe('10.2.0.0/16');
  });

  test('reads all vxlan settings', () => {
    const Backend = { type: 'VXLAN', VNI: 4096, Port: 4789, MTU: 1400, GBP: true, Learning: true, DirectRouting: true };
    expect(parse({ Backend }).config.backend).toEqual({
      type: 'vxlan',
      vni: 4096,
      port: 4789,
      outerMtuBytes: 1400,
      gbp: true,
      learning: true,
      directRouting: true,
    });
  });

  test('takes udp where there is no Backend, and says so', () => {
    const { config, warnings } = parse({ Network: '10.244.0.0/16' });
    expect(config.backend).toEqual({ type: 'other', name: 'udp' });
    expect(warnings).toEqual(['there is no Backend: flannel takes udp, not vxlan']);
  });

  test.each([
    [{}, /^Backend has no Type: flannel does not start$/],
    [{ Type: 'vxlann' }, /^flannel has no backend "vxlann" and does not start; it has vxlan, host-gw, /],
  ])('says of a Backend of %j that flannel parses it and does not start', (Backend, obstacle) => {
    expect(parse({ Backend }).obstacles).toEqual([expect.stringMatching(obstacle)]);
  });

  test.each(['VXLAN', 'host-gw', 'WireGuard', 'extension'])('knows the backend %s', (Type) => {
    expect(parse({ Backend: { Type } }).obstacles).toEqual([]);
  });

  test('leaves a member that is null at its default', () => {
    expect(parse({ EnableIPv4: null, SubnetLen: null, ...vxlan }).config).toMatchObject({
      enableIPv4: true,
      subnetLen: null,
    });
  });

  test.each([
    ['', 'it is not JSON'],
    ['[]', 'it is an array, not an object'],
    ['{"Network":"10.244.0.0/16",}', 'it is not JSON'],
    ['{"Network":"10.244.0.0"}', 'Network of the network configuration is "10.244.0.0", not an IPv4 network'],
    ['{"Network":null}', 'Network of the network configuration is null'],
    ['{"Network":"fd00::/48"}', 'not an IPv4 network'],
    ['{"EnableIPv6":"true"}', 'EnableIPv6 of the network configuration is "true", not true or false'],
    ['{"SubnetLen":24.0}', 'SubnetLen of the network configuration is 24.0, not an integer'],
    ['{"SubnetLen":-1}', 'SubnetLen of the network configuration is -1'],
    ['{"SubnetMin":"10.244.0.0/24"}', 'not an IPv4 address'],
    ['{"Backend":"vxlan"}', 'Backend does not parse: it is a string, not an object'],
    ['{"Backend":{"Type":"vxlan","VNI":"1"}}', 'VNI of the network configuration is "1", not an integer'],
    ['{"Backend":{"Type":"vxlan","VNI":16777216}}', 'not an integer from 0 to 16777215'],
    ['{"Network":"\\u001b[2Jx"}', '\\u001b[2Jx'],
  ])('refuses %s', (text, message) => {
    expect(() => parseNetworkConfig(text)).toThrow(
      expect.objectContaining({ code: 'bad-input', message: expect.stringContaining(message) }),
    );
  });
});

describe('the range rules of etcd', () => {
  test.each([
    ['10.244.0.0/16', 24, '10.244.1.0', '10.244.255.0'],
    ['10.244.0.0/22', 24, '10.244.1.0', '10.244.3.0'],
    ['10.244.0.0/24', 26, '10.244.0.64', '10.244.0.192'],
    ['10.244.0.0/28', 30, '10.244.0.4', '10.244.0.12'],
  ])('cut %s into /%i from %s to %s', (...row) => {
    const [Network, subnetLen, subnetMin, subnetMax] = row;
    expect(check({ Network, ...vxlan })).toMatchObject({ problems: [], config: { subnetLen, subnetMin, subnetMax } });
  });

  test('cut an IPv6 network', () => {
    const { config, problems } = check({ EnableIPv4: false, EnableIPv6: true, IPv6Network: 'fd00:10::/56', ...vxlan });
    expect(problems).toEqual([]);
    expect(config).toMatchObject({
      ipv6SubnetLen: 64,
      ipv6SubnetMin: 'fd00:10:0:1::',
      ipv6SubnetMax: 'fd00:10:0:ff::',
    });
  });

  test.each([
    [{ ...vxlan }, 'Network is missing'],
    [{ Network: '10.0.0.0/29' }, 'Network is a /29, not /28 or larger'],
    [{ Network: '10.0.0.0/16', SubnetLen: 31 }, 'SubnetLen is 31, not 30 or less'],
    [
      { Network: '10.0.0.0/16', SubnetLen: 17 },
      'SubnetLen is 17, not 18 or more: the network has to hold four subnets',
    ],
    [{ Network: '10.0.0.0/16', SubnetMin: '10.1.0.0' }, 'SubnetMin 10.1.0.0 is not in the network 10.0.0.0/16'],
    [{ Network: '10.0.0.0/16', SubnetMax: '10.0.9.1' }, 'SubnetMax 10.0.9.1 is not the start of a /24'],
    [{ EnableIPv4: false }, 'EnableIPv4 and EnableIPv6 are both off'],
    [{ EnableIPv4: false, EnableIPv6: true, IPv6Network: 'fd00::/125' }, 'IPv6Network is a /125, not /124 or larger'],
  ])('refuse %j', (document, problem) => {
    expect(check(document).problems).toEqual([problem]);
  });
});
