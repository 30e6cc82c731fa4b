/** Rules as somebody may have written them; whether they stop the tunnel is for the kernel to say. */
export interface Variant {
  readonly name: string;
  readonly direction: 'in' | 'out';
  /** Fed to `nft -f -`. */
  readonly nft?: string;
  /** Arguments of one iptables call a line; `!legacy ` before them: of iptables-legacy. */
  readonly iptables?: readonly string[];
  /** What the verdict must be where the kernel's answer is a matter of chance or of things no rule tells. */
  readonly undecided?: true;
}

const inInput = (...rules: string[]) =>
  `table inet f {\n chain input {\n type filter hook input priority 0; policy accept;\n ${rules.join('\n ')}\n }\n}`;
const inOutput = (...rules: string[]) =>
  `table inet f {\n chain output {\n type filter hook output priority 0; policy accept;\n ${rules.join('\n ')}\n }\n}`;
const nft = (name: string, text: string, direction: 'in' | 'out' = 'in'): Variant => ({ name, direction, nft: text });
const ipt = (name: string, iptables: readonly string[], direction: 'in' | 'out' = 'in'): Variant => ({
  name,
  direction,
  iptables,
});
const maybe = (variant: Variant): Variant => ({ ...variant, undecided: true });

export const VARIANTS: readonly Variant[] = [
  nft('no rule', ''),
  nft('a drop of the port', inInput('udp dport 8472 counter drop')),
  nft('a reject of the port', inInput('udp dport 8472 reject')),
  nft('a drop of another port', inInput('udp dport 4789 drop')),
  nft('a drop of the port for tcp', inInput('tcp dport 8472 drop')),
  nft('a range', inInput('udp dport 8000-9000 drop')),
  nft('a range beside it', inInput('udp dport 8473-9000 drop')),
  nft('an anonymous set', inInput('udp dport { 53, 8470-8472 } drop')),
  nft('everything but a port', inInput('udp dport != 53 drop')),
  nft('everything but this port', inInput('udp dport != 8472 drop')),
  nft('a comparison', inInput('udp dport >= 8472 drop')),
  nft('a transport header port', inInput('meta l4proto { tcp, udp } th dport 8472 drop')),
  nft('a protocol', inInput('ip protocol udp drop')),
  nft('all of IPv6', inInput('meta nfproto ipv6 drop')),
  nft('all of IPv4', inInput('meta protocol ip drop')),
  nft('the interface', inInput('iifname "eth0" udp dport 8472 drop')),
  nft('a wildcard of interfaces', inInput('iifname "eth*" udp dport 8472 drop')),
  nft('another interface', inInput('iifname != "eth0" drop')),
  nft('the interface by index', inInput('iif lo accept', 'iif eth0 drop')),
  nft('an output interface on the way in', inInput('oifname != "eth7" drop')),
  nft('the source', inInput('ip saddr 10.9.0.2 drop')),
  nft('all sources but those of a network', inInput('ip saddr != 10.9.0.0/16 drop')),
  nft('sources in a set of prefixes and ranges', inInput('ip saddr { 10.8.0.0/16, 10.9.0.1-10.9.0.5 } drop')),
  nft('the destination', inInput('ip daddr 10.9.0.1 drop')),
  nft(
    'a named interval set',
    `table inet f {
 set ports { type inet_service; flags interval; elements = { 22, 8000-9000 }
 }
 chain input {
 type filter hook input priority 0;
 udp dport @ports drop
 }
}`,
  ),
  nft(
    'a named set of protocols',
    `table inet f {
 set kinds { type inet_proto; elements = { udp, sctp }
 }
 chain input {
 type filter hook input priority 0;
 meta l4proto @kinds drop
 }
}`,
  ),
  nft(
    'a concatenation',
    `table inet f {
 set pairs { type ipv4_addr . inet_service; flags interval; elements = { 10.9.0.0/24 . 8000-9000 }
 }
 chain input {
 type filter hook input priority 0;
 ip saddr . udp dport @pairs drop
 }
}`,
  ),
  nft(
    'a concatenation that only half fits',
    `table inet f {
 set pairs { type ipv4_addr . inet_service; flags interval; elements = { 10.9.1.0/24 . 8472, 10.9.0.2 . 53 }
 }
 chain input {
 type filter hook input priority 0;
 ip saddr . udp dport @pairs drop
 }
}`,
  ),
  nft('a verdict map', inInput('udp dport vmap { 53 : accept, 8472 : drop }')),
  nft('a verdict map of other ports', inInput('udp dport vmap { 53 : drop, 4789 : drop }')),
  nft(
    'a verdict map into a chain',
    `table inet f {
 map where { type inet_service : verdict; elements = { 22 : accept, 8472 : jump deny }
 }
 chain deny {
 drop
 }
 chain input {
 type filter hook input priority 0;
 udp dport vmap @where
 }
}`,
  ),
  nft(
    'a chain that returns first',
    `table inet f {
 chain deny {
 ip saddr 10.9.0.0/24 return
 drop
 }
 chain input {
 type filter hook input priority 0;
 jump deny
 }
}`,
  ),
  nft(
    'a goto whose end is the policy',
    `table inet f {
 chain aside {
 tcp dport 22 accept
 }
 chain input {
 type filter hook input priority 0; policy drop;
 goto aside
 udp dport 8472 accept
 }
}`,
  ),
  nft(
    'an accept that another table does not care for',
    `table inet a {
 chain input {
 type filter hook input priority -10;
 udp dport 8472 accept
 }
}
table ip b {
 chain input {
 type filter hook input priority 10; policy drop;
 tcp dport 22 accept
 }
}`,
  ),
  nft('a policy with the port excepted', inInput('udp dport 8472 accept').replace('policy accept', 'policy drop')),
  nft(
    'a policy with established alone excepted',
    inInput('ct state established,related accept').replace('policy accept', 'policy drop'),
  ),
  nft('a policy with new excepted', inInput('ct state new accept').replace('policy accept', 'policy drop')),
  nft('a drop of invalid', inInput('ct state invalid drop')),
  nft('a map of connection states', inInput('ct state vmap { invalid : drop, established : accept, new : drop }')),
  nft('all but established', inInput('ct state != established drop')),
  nft('the original direction', inInput('ct direction original drop')),
  nft('destination NAT excepted, the rest rejected', inInput('ct status dnat accept', 'reject')),
  nft(
    'invalid before connections are tracked',
    'table ip r {\n chain pre {\n type filter hook prerouting priority raw;\n ct state invalid drop\n }\n}',
  ),
  nft(
    'new before connections are tracked',
    'table ip r {\n chain pre {\n type filter hook prerouting priority raw;\n ct state new drop\n }\n}',
  ),
  nft(
    'untracked, and only tracked ones are let in',
    `table ip r {
 chain pre {
 type filter hook prerouting priority raw;
 udp dport 8472 notrack
 }
 chain input {
 type filter hook input priority 0; policy drop;
 ct state new,established accept
 }
}`,
  ),
  nft('local addresses', inInput('fib daddr type local drop')),
  nft('broadcast', inInput('fib daddr type broadcast drop', 'meta pkttype broadcast drop')),
  nft('packets to this host', inInput('meta pkttype host drop')),
  nft('a mark nobody set', inInput('meta mark 0x8000 drop', 'meta mark and 0xff == 0x1 drop')),
  nft('no mark', inInput('meta mark & 0x8000 == 0 drop')),
  nft(
    'a mark set before',
    `table ip m {
 chain pre {
 type filter hook prerouting priority mangle;
 udp dport 8000-9000 meta mark set 0x8000
 }
 chain input {
 type filter hook input priority 0;
 meta mark & 0x8000 == 0x8000 drop
 }
}`,
  ),
  nft('fragments', inInput('ip frag-off & 0x1fff != 0 drop')),
  nft(
    'icmp and other protocols',
    inInput('icmp type echo-request drop', 'tcp flags syn drop', 'ip6 saddr fe80::/10 drop'),
  ),
  nft(
    'a device',
    'table netdev d {\n chain in {\n type filter hook ingress device "eth0" priority 0;\n udp dport 8472 drop\n }\n}',
  ),
  nft(
    'another device',
    'table netdev d {\n chain in {\n type filter hook ingress device "lo" priority 0;\n udp dport 8472 drop\n }\n}',
  ),
  nft(
    'a bridge',
    'table bridge b {\n chain in {\n type filter hook prerouting priority 0;\n ether type ip udp dport 8472 drop\n }\n}',
  ),
  nft('the way out', inOutput('udp dport 8472 drop'), 'out'),
  nft('the way out, for the way in', inOutput('udp dport 8472 drop')),
  nft('the way out by interface', inOutput('oifname "eth0" ip daddr 10.9.0.2 drop'), 'out'),
  nft('the way out of another interface', inOutput('oifname "lo" drop', 'iifname "eth0" drop'), 'out'),
  nft('the way out but for local sources', inOutput('fib saddr type != local drop'), 'out'),
  nft(
    'after routing',
    'table ip p {\n chain post {\n type filter hook postrouting priority 0;\n udp dport 8472 drop\n }\n}',
    'out',
  ),
  maybe(
    nft(
      'a rate that is let in',
      inInput('udp dport 8472 limit rate 1/hour burst 1 packets accept', 'udp dport 8472 drop'),
    ),
  ),
  maybe(nft('a rate that is dropped', inInput('udp dport 8472 limit rate over 1000/second drop'))),
  nft('a rate on another port', inInput('udp dport 53 limit rate over 1/hour drop')),
  nft('a rate that is only logged', inInput('udp dport 8472 limit rate 1/hour log')),
  maybe(nft('a draw', inInput('numgen random mod 2 0 drop'))),
  maybe(nft('a length', inInput('meta length > 5000 drop'))),
  maybe(nft('a source port', inInput('udp sport 1-1000 drop'))),
  ipt('an iptables drop', ['-A INPUT -p udp --dport 8472 -j DROP']),
  ipt('an iptables reject', ['-A INPUT -p udp --dport 8472 -j REJECT']),
  ipt('an iptables drop of the way out', ['-A OUTPUT -p udp --dport 8472 -d 10.9.0.2 -j DROP'], 'out'),
  ipt('an iptables reject of the way out', ['-A OUTPUT -o eth+ -p udp --dport 8472 -j REJECT'], 'out'),
  ipt('iptables raw', ['-t raw -A PREROUTING -i eth0 -p udp --dport 8472 -j DROP']),
  ipt('iptables mangle', ['-t mangle -A PREROUTING -p udp -m multiport --dports 53,8000:9000 -j DROP']),
  ipt('iptables mangle after routing', ['-t mangle -A POSTROUTING -p udp --dport 8472 -j DROP'], 'out'),
  ipt('an iptables user chain', ['-N GUARD', '-A GUARD -p udp --dport 8472 -j DROP', '-A INPUT -i eth0 -j GUARD']),
  ipt('an iptables user chain that returns', [
    '-N GUARD',
    '-A GUARD -s 10.9.0.2 -j RETURN',
    '-A GUARD -j DROP',
    '-A INPUT -j GUARD',
  ]),
  ipt('an iptables goto', [
    '-N GUARD',
    '-A GUARD -p tcp -j ACCEPT',
    '-A INPUT -g GUARD',
    '-A INPUT -j ACCEPT',
    '-P INPUT DROP',
  ]),
  ipt('an iptables policy', ['-P INPUT DROP', '-A INPUT -p icmp -j ACCEPT', '-A INPUT -p tcp -j ACCEPT']),
  ipt('an iptables policy with an accept', ['-P INPUT DROP', '-A INPUT -p udp --dport 8472 -j ACCEPT']),
  ipt('iptables connection states', ['-P INPUT DROP', '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT']),
  ipt('iptables invalid alone', ['-A INPUT -m conntrack --ctstate INVALID -j DROP']),
  ipt('an iptables source but not this', ['-A INPUT ! -s 10.9.0.0/24 -j DROP']),
  ipt('an iptables source but another', ['-A INPUT ! -s 10.8.0.0/24 -p udp -j DROP']),
  ipt('an iptables range of addresses', ['-A INPUT -m iprange --src-range 10.9.0.2-10.9.0.9 -p udp -j DROP']),
  ipt('an iptables address type', ['-A INPUT -m addrtype --dst-type LOCAL -p udp -j DROP']),
  ipt('an iptables address type of no use', ['-A INPUT -m addrtype ! --dst-type LOCAL -j DROP']),
  ipt('an iptables mark nobody set', ['-A INPUT -m mark --mark 0x8000/0x8000 -j DROP']),
  ipt('an iptables mark', [
    '-t mangle -A PREROUTING -p udp -j MARK --set-xmark 0x8000/0x8000',
    '-A INPUT -m mark --mark 0x8000/0x8000 -j DROP',
  ]),
  ipt('an iptables mark cleared again', [
    '-t mangle -A PREROUTING -p udp -j MARK --set-xmark 0x8001/0x8001',
    '-t mangle -A PREROUTING -p udp -j MARK --set-xmark 0x0/0x8000',
    '-A INPUT -m mark --mark 0x8000/0x8000 -j DROP',
  ]),
  ipt('an iptables comment with an order in it', [
    '-A INPUT -p udp --dport 8472 -m comment --comment $(id)`id`"\' -j DROP',
  ]),
  ipt('a rule of nft in a table of iptables', [
    '-A INPUT -p tcp --dport 22 -j ACCEPT',
    '!nft insert rule ip filter INPUT udp dport 8472 drop',
  ]),
  ipt('an iptables output device on the way in', [
    '-N GUARD',
    '-A GUARD ! -o eth7 -p udp -j DROP',
    '-A INPUT -j GUARD',
  ]),
  maybe(
    ipt('an iptables rate', [
      '-A INPUT -p udp --dport 8472 -m limit --limit 1/hour -j ACCEPT',
      '-A INPUT -p udp --dport 8472 -j DROP',
    ]),
  ),
  maybe(ipt('an iptables statistic', ['-A INPUT -p udp -m statistic --mode random --probability 0.5 -j DROP'])),
  maybe(ipt('an iptables string', ['-A INPUT -p udp -m string --algo bm --string nothing-like-it -j DROP'])),
  ipt('legacy iptables', ['!legacy -A INPUT -p udp --dport 8472 -j DROP']),
  ipt('legacy iptables raw', ['!legacy -t raw -A PREROUTING -p udp --dport 8000:9000 -j DROP']),
  ipt('a legacy policy', ['!legacy -P INPUT DROP', '!legacy -A INPUT -p icmp -j ACCEPT']),
  ipt('a legacy policy with an accept', ['!legacy -P INPUT DROP', '!legacy -A INPUT -s 10.9.0.2/32 -j ACCEPT']),
  ipt('legacy iptables under an accept of nft', [
    '-A INPUT -j ACCEPT',
    '!legacy -A INPUT -p udp -m multiport --dports 8472 -j DROP',
  ]),
  ipt('a legacy output device on the way in', [
    '!legacy -N GUARD',
    '!legacy -A GUARD ! -o eth7 -p udp -j DROP',
    '!legacy -A INPUT -j GUARD',
  ]),
  ipt('legacy before connections are tracked', ['!legacy -t raw -A PREROUTING -m conntrack --ctstate INVALID -j DROP']),
  ipt('legacy without tracking', [
    '!legacy -t raw -A PREROUTING -j CT --notrack',
    '!legacy -A INPUT -m conntrack --ctstate UNTRACKED -j DROP',
  ]),
];
