#include <fmt/format.h>
#include <linux/pkt_cls.h>

#include "bench/packet/scenario.h"

namespace weir::bench {
namespace {

text::PacketFields packet(std::uint16_t dport) {
    text::PacketFields fields;
    fields.saddr = IpAddr::v4(0xc0000201); // 192.0.2.1
    fields.daddr = IpAddr::v4(0xc6336401); // 198.51.100.1
    fields.dport = dport;
    fields.payload_length = 64;
    return fields;
}

Case tc(std::string name, std::string what, kernel::Program program, std::uint16_t dport,
        int expect) {
    return {.name = std::move(name),
            .what = std::move(what),
            .program = program,
            .expect = expect,
            .traffic = [=] { return make_traffic(1, [=](std::size_t) { return packet(dport); }); },
            .counted = true};
}

} // namespace

std::vector<SetUp> tc_scenarios() {
    SetUp made{.yaml = [] { return "firewall: {egress: {rules: [tcp dport 25 drop]}}"; },
               .cases = {}};
    made.cases = {
        tc("tc-ingress-pass", "TC ingress: parsed, counted, passed on", kernel::Program::kTcIngress,
           443, TC_ACT_UNSPEC),
        tc("tc-egress-pass", "TC egress: past one rule", kernel::Program::kTcEgress, 443,
           TC_ACT_UNSPEC),
        tc("tc-egress-drop", "TC egress: dropped by the only rule", kernel::Program::kTcEgress, 25,
           TC_ACT_SHOT),
    };
    return {made};
}

} // namespace weir::bench
