# What an engineer reads by hand to judge a flannel node, one source after the other.
set -e
for pid in /proc/[0-9]*; do
  readlink "$pid/ns/net" && cat "$pid/comm" "$pid/stat" && tr '\0' ' ' <"$pid/cmdline"
done
cat /run/flannel/subnet.env
cat /etc/os-release /proc/sys/kernel/osrelease
for name in ip_forward conf/all/forwarding conf/eth0/forwarding conf/flannel.1/forwarding conf/cni0/forwarding; do
  cat "/proc/sys/net/ipv4/$name"
done
ip -j -d -s address
ip -j -d route show table main
ip -6 -j -d route show table main
ip -j neigh show
ip -6 -j neigh show
bridge -j fdb show
nft -j list ruleset
iptables-save -c
ip6tables-save -c
endpoint=http://192.168.10.1:2379
ETCDCTL_API=3 etcdctl --endpoints "$endpoint" get /coreos.com/network/config
ETCDCTL_API=3 etcdctl --endpoints "$endpoint" get --prefix /coreos.com/network/subnets -w json >/tmp/leases.$$
for lease in $(sed 's/"lease":/\n&/g' /tmp/leases.$$ | sed -n 's/^"lease":\([0-9]*\).*/\1/p'); do
  ETCDCTL_API=3 etcdctl --endpoints "$endpoint" lease timetolive "$(printf %x "$lease")"
done
rm -f /tmp/leases.$$
