import { etcdctl } from '../etcd-diversion.ts';
import { defineFault } from '../fault.ts';

const FILLING = '/flannelctl-drill/fill';

/** Values of one megabyte until etcd refuses one; it takes at most one and a half at a time. */
const FILL = `i=0
while [ $i -lt 64 ]; do
  i=$((i + 1))
  head -c 1000000 /dev/zero | tr '\\0' x | "$@" put "${FILLING}/$i" >/dev/null 2>&1 || exit 0
done
exit 1
`;

/** As the manual of etcd says: what may go is marked, then taken out of the file, then the alarm is disarmed. */
const CLEAR = `"$@" del --prefix ${FILLING} >/dev/null || true
revision=$("$@" endpoint status --write-out=json | grep -o '"revision":[0-9]*' | head -n 1 | cut -d : -f 2)
"$@" compact "$revision" >/dev/null || true
"$@" defrag >/dev/null && "$@" alarm disarm
`;

export default defineFault({
  name: 'etcd-nospace',
  check: 'etcd-nospace',
  title: 'the database of etcd is filled until etcd raises the alarm and refuses every write',
  also: [],
  repair: 'heal',
  stores: ['etcd'],
  pairable: false,
  inject: async ({ onSwitch }) => {
    await onSwitch(['sh', '-c', FILL, 'sh', ...etcdctl()]);
  },
  heal: async ({ onSwitch }) => {
    await onSwitch(['sh', '-c', CLEAR, 'sh', ...etcdctl()]);
  },
});
