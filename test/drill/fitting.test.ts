import { expect, test } from 'vitest';
import { defineFault, type Fault } from '../../src/drill/fault.ts';
import { fitting, storeObstacle } from '../../src/drill/fitting.ts';

function aFault(name: string, parts: Partial<Fault> = {}): Fault {
  const work = async () => undefined;
  return defineFault({ name, check: name, title: name, also: [], repair: 'heal', inject: work, heal: work, ...parts });
}

const anywhere = aFault('fdb-missing');
const etcdOnly = aFault('etcd-tls', { stores: ['etcd'] });

test('leaves out what belongs to another datastore, and says why', () => {
  expect(fitting([anywhere, etcdOnly], 'file')).toEqual({
    faults: [anywhere],
    skipped: [{ fault: 'etcd-tls', reason: 'it needs --store etcd' }],
  });
});

test('leaves out nothing where the datastore fits', () => {
  expect(fitting([anywhere, etcdOnly], 'etcd')).toEqual({ faults: [anywhere, etcdOnly], skipped: [] });
});

test('sees no obstacle for a fault that names no datastore', () => {
  expect(storeObstacle(anywhere, 'file')).toBeUndefined();
});
