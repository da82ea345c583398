#pragma once

namespace weir::test {

// Rules on every layer, sets, and services of both families: no stage is without work.
inline constexpr const char* kBusyNode = R"(
sets:
  bad: {type: ipv4_addr, elements: [10.0.0.0/8]}
  bad6: {type: ipv6_addr, elements: ["fc00::/7"]}
  ports: {type: inet_service, elements: [1-1023]}
firewall:
  ingress:
    rules:
      - ip saddr @bad drop
      - ip6 saddr @bad6 drop
      - tcp dport @ports counter
      - tcp flags & (syn | fin) == (syn | fin) drop
      - vlan id 1-99 drop
  packets: {routing-header: filter}
lb:
  source: 10.99.0.0/16
  source6: fd00:99::/64
  gateway: 02:00:00:00:00:99
  services:
    - {vip: 192.0.2.1:any/tcp, backends: [10.0.2.2, 10.0.2.3]}
    - {vip: 192.0.2.1:any/udp, backends: [10.0.2.2]}
    - {vip: "[2001:db8::1]:any/tcp", backends: ["fd00:2::2"]}
    - {vip: "[2001:db8::1]:any/udp", backends: ["fd00:2::2"]}
)";

} // namespace weir::test
