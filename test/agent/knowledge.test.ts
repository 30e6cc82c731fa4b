import { expect, it } from 'vitest';
import { readKnowledge } from '../../src/agent/knowledge.ts';
import { writeState } from '../../src/agent/state-file.ts';
import { liveHost, liveWriter } from '../../src/host/live.ts';
import type { Lease, SubnetStore } from '../../src/store/store.ts';
import { aLease } from '../dataplane/builders.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const OWN = aLease(1, { key: 'n1' }, { publicIp: '203.0.113.7' });

const STATE = {
  machineId: 'abc',
  node: 'n1',
  publicIp: '192.168.9.1',
  publicIpv6: null,
  prefix: 'flannel.alpha.coreos.com',
  clusterId: null,
  savedAt: 1,
  config: '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}',
  own: OWN,
  devices: ['flannel.1'],
  subnetFile: '/run/flannel/subnet.env',
  subnetEnv: null,
};

/** Key of this node's lease, when the record under the key of {@link OWN} was last this one. */
async function ownKeyBeside(record: Lease): Promise<string | undefined> {
  const stateFile = `${await temporaryDirectory()}/state.json`;
  const records = [record, aLease(2, { key: 'n2' })];
  await writeState(liveWriter({ root: '/' }), stateFile, { ...STATE, records });
  const store = { kind: 'kube' } as Partial<SubnetStore> as SubnetStore;
  const { ownKey } = await readKnowledge({ host: liveHost({ root: '/' }), store, stateFile, isNamed: false });
  return ownKey;
}

it('knows the lease of the agent by its name, whatever address it publishes', async () => {
  expect(await ownKeyBeside({ ...OWN, modRevision: '9' })).toBe('n1');
});

it('does not take for ours what another host wrote under that name', async () => {
  expect(await ownKeyBeside(aLease(1, { key: 'n1' }, { publicIp: '192.168.9.77' }))).toBeUndefined();
});

it('reads the configuration by the rules of the datastore that it is of, whichever is asked by default', async () => {
  const stateFile = `${await temporaryDirectory()}/state.json`;
  // with podCIDRs nobody chooses subnets, and so nobody minds their length
  const config = '{"Network":"10.244.0.0/16","SubnetLen":12,"Backend":{"Type":"vxlan"}}';
  const know = async (storeKind: SubnetStore['kind']) => {
    await writeState(liveWriter({ root: '/' }), stateFile, { ...STATE, config, storeKind, records: [] });
    const store = { kind: 'etcd' } as Partial<SubnetStore> as SubnetStore;
    return (await readKnowledge({ host: liveHost({ root: '/' }), store, stateFile, isNamed: false })).config.network;
  };
  expect(await know('kube')).toBe('10.244.0.0/16');
  await expect(know('etcd')).rejects.toThrow('flannel refuses');
});
