/**
 * Runs as the first process of a node or of the switch, started by unshare in namespaces of its own:
 * `sh STATE-DIRECTORY/holder.sh TAG NAME STATE-DIRECTORY KIND INDEX PROGRAM…`. Nothing it mounts is seen outside: unshare makes
 * propagation private. It tells its pid, as the machine knows it, when everything is in place, and then only reaps.
 *
 * /proc is still the machine's at first, so /proc/self/stat begins with the machine's pid. /sys and /proc/sys are read-only but for
 * /proc/sys/net, where a network namespace has its own values: what belongs to the kernel as a whole cannot be written. mount -n, because
 * mount(8) keeps notes in /run/mount, which is the machine's until the end.
 */
export const HOLDER_SCRIPT = `
set -eu
tag=$1 name=$2 state=$3 kind=$4 index=$5
shift 5
read -r pid rest </proc/self/stat
exec 3>"$state/$name.pid"
mount -n -t proc proc /proc
mount -n -t sysfs -o ro sysfs /sys
echo "$name" >/proc/sys/kernel/hostname
for value in ipv4/ip_forward=1 ipv4/conf/all/rp_filter=0 ipv4/conf/default/rp_filter=0; do
  echo "\${value#*=}" >"/proc/sys/net/\${value%%=*}"
done
for path in /proc/sys /proc/sysrq-trigger; do
  if [ -e "$path" ]; then
    mount -n --bind "$path" "$path"
    mount -n -o remount,bind,ro "$path"
  fi
done
mount -n --bind /proc/sys/net /proc/sys/net
mount -n -o remount,bind,rw /proc/sys/net
hold=$state/$name
mkdir "$hold"
mount -n -t tmpfs -o mode=755 tmpfs "$hold"
if [ "$kind" = node ]; then
  cd "$hold"
  mkdir -p etc/cni/net.d etc/systemd/system opt/bin opt/cni/bin run/flannel run/lock var/lib/cni var/lib/flannelctl var/log empty
  for entry in alternatives bash.bashrc debian_version environment ethertypes group host.conf iproute2 iptables \\
    ld.so.cache ld.so.conf ld.so.conf.d localtime mtab nsswitch.conf os-release passwd profile protocols services terminfo xtables; do
    if [ -e "/etc/$entry" ]; then cp -a "/etc/$entry" etc/; fi
  done
  echo "$name" >etc/hostname
  printf '127.0.0.1 localhost\\n127.0.1.1 %s\\n' "$name" >etc/hosts
  printf '%s%026d\\n' "$tag" "$index" >etc/machine-id
  ln -s "$1" opt/bin/flannelctl
  ln -s "$2" opt/bin/flanneld
  for program in "$@"; do
    case $program in
    /etc/* | /opt/* | /run/* | /var/lib/* | /var/log/*)
      mkdir -p "$hold\${program%/*}"
      : >"$hold$program"
      mount -n --bind "$program" "$hold$program"
      ;;
    esac
  done
  if [ -d "$state/store" ]; then
    mkdir -p "$hold$state/store"
    mount -n --bind "$state/store" "$hold$state/store"
  fi
  if [ -d /usr/lib/systemd/system ]; then mount -n --bind "$hold/empty" /usr/lib/systemd/system; fi
  if [ -d /lib/systemd/system ] && [ ! -L /lib ]; then mount -n --bind "$hold/empty" /lib/systemd/system; fi
  cd /
  for path in etc opt var/lib var/log run; do mount -n --rbind "$hold/$path" "/$path"; done
fi
echo "$pid" >&3
exec 3>&-
while :; do
  sleep 2147483 &
  wait
done
`;
