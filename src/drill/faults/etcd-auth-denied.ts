import { etcdctl } from '../etcd-diversion.ts';
import { defineFault } from '../fault.ts';

const AS_ROOT = '--user=root:drill';

export default defineFault({
  name: 'etcd-auth-denied',
  check: 'etcd-auth-denied',
  title: 'etcd asks for a user from now on, and flanneld is given none',
  also: [],
  repair: 'heal',
  stores: ['etcd'],
  pairable: false,
  inject: async ({ onSwitch }) => {
    await onSwitch(etcdctl('user', 'add', 'root:drill'));
    await onSwitch(etcdctl('user', 'grant-role', 'root', 'root'));
    await onSwitch(etcdctl('auth', 'enable'));
  },
  heal: async ({ onSwitch }) => {
    const [first, ...rest] = [
      etcdctl(AS_ROOT, 'auth', 'disable'),
      etcdctl('user', 'delete', 'root'),
      etcdctl('role', 'delete', 'root'),
    ];
    // Half-way through an injection some of these have nothing to undo; the last line tells whether all is well.
    for (const argv of [first, ...rest]) {
      if (argv !== undefined) await onSwitch(['sh', '-c', '"$@" || true', 'sh', ...argv]);
    }
    await onSwitch(etcdctl('endpoint', 'health'));
  },
});
