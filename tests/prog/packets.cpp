#include "prog/packets.h"

#include "model/config.h"
#include "support/verdict.h"

namespace weir::test {
namespace {

traffic operator-(const traffic& a, const traffic& b) {
    return {a.packets - b.packets, a.bytes - b.bytes};
}

hook_count operator-(const hook_count& a, const hook_count& b) {
    hook_count result{};
    result.received = a.received - b.received;
    for (int i = 0; i < VERDICT_COUNT; ++i) {
        result.verdict[i] = a.verdict[i] - b.verdict[i];
    }
    for (int i = 0; i < REASON_COUNT; ++i) {
        result.dropped[i] = a.dropped[i] - b.dropped[i];
    }
    for (int i = 0; i < CLASS_COUNT; ++i) {
        result.seen[i] = a.seen[i] - b.seen[i];
    }
    result.handed_over = a.handed_over - b.handed_over;
    result.decapsulated = a.decapsulated - b.decapsulated;
    return result;
}

// received = passed + sent + redirected + dropped, and dropped = the sum over reasons.
void expect_balanced(const hook_count& books, std::uint64_t packets, std::uint64_t octets) {
    traffic ends{}, drops{};
    for (const traffic& verdict : books.verdict) {
        ends.packets += verdict.packets;
        ends.bytes += verdict.bytes;
    }
    for (const traffic& dropped : books.dropped) {
        drops.packets += dropped.packets;
        drops.bytes += dropped.bytes;
    }
    EXPECT_EQ(books.received.packets, packets);
    EXPECT_EQ(books.received.bytes, octets);
    EXPECT_EQ(ends.packets, packets);
    EXPECT_EQ(ends.bytes, octets);
    EXPECT_EQ(drops.packets, books.verdict[VERDICT_DROP].packets);
    EXPECT_EQ(drops.bytes, books.verdict[VERDICT_DROP].bytes);
}

} // namespace

std::ostream& operator<<(std::ostream& out, const Fate& fate) {
    if (fate.end == VERDICT_COUNT) {
        return out << "abort";
    }
    out << model::name(fate.end);
    return fate.why == REASON_COUNT ? out : out << " (" << model::name(fate.why) << ")";
}

WeirUnderTest& Packets::weir() {
    static WeirUnderTest only;
    return only;
}

void Packets::SetUp() {
    weir().reset();
    for (const hook at : {HOOK_XDP, HOOK_TC_INGRESS, HOOK_TC_EGRESS}) {
        account({0, at});
    }
}

void Packets::TearDown() {
    for (auto& [row, entry] : accounts_) {
        SCOPED_TRACE("slot " + std::to_string(row.first) + ", hook " + std::to_string(row.second));
        expect_balanced(weir().books(row.first, row.second) - entry.at_start, entry.packets,
                        entry.octets);
    }
}

Packets::Account& Packets::account(Row row) {
    auto [found, is_new] = accounts_.try_emplace(row);
    if (is_new) {
        found->second.at_start = found->second.now = weir().books(row.first, row.second);
    }
    return found->second;
}

Fate Packets::book(Row row, const Octets& frame, kernel::Program program) {
    Account& entry = account(row);
    const hook_count now = weir().books(row.first, row.second);
    const hook_count change = now - entry.now;
    entry.now = now;

    Fate fate{.end = verdict_of(program, last_.action)};
    ++entry.packets;
    entry.octets += frame.size();
    for (int i = 0; i < REASON_COUNT; ++i) {
        if (change.dropped[i].packets != 0) {
            fate.why = static_cast<reason>(i);
        }
    }
    if (fate.end != VERDICT_COUNT) {
        EXPECT_EQ(change.verdict[fate.end].packets, 1U) << "counted as something else: " << fate;
    }
    return fate;
}

std::optional<Fate> Packets::try_run(kernel::Program program, const Octets& frame, Arrival how) {
    const Row row{weir().slot_of(how.ifindex), hook_of(program)};
    account(row);
    auto run = weir().try_run(program, frame, how);
    if (!run) {
        return std::nullopt;
    }
    last_ = *std::move(run);
    return book(row, frame, program);
}

Fate Packets::xdp(const Octets& frame, Arrival how) {
    const auto fate = try_run(kernel::Program::kIngress, frame, how);
    return fate ? *fate : throw std::runtime_error("XDP test run refused");
}

Fate Packets::tc_ingress(const Octets& frame, Arrival how) {
    const auto fate = try_run(kernel::Program::kTcIngress, frame, how);
    return fate ? *fate : throw std::runtime_error("TC test run refused");
}

Fate Packets::tc_egress(const Octets& frame, Arrival how) {
    const auto fate = try_run(kernel::Program::kTcEgress, frame, how);
    return fate ? *fate : throw std::runtime_error("TC test run refused");
}

hook_count Packets::books(hook at, std::uint32_t ifindex) {
    Account& entry = account({weir().slot_of(ifindex), at});
    return entry.now - entry.at_start;
}

std::uint64_t Packets::seen(packet_class c, std::uint32_t ifindex) {
    return books(HOOK_XDP, ifindex).seen[c];
}

rule_count Packets::rule(std::size_t index) {
    return must(weir().node().rule_hits(weir().config().ingress.rules.at(index).slot));
}

rule_count Packets::egress_rule(std::size_t index) {
    return must(weir().node().rule_hits(weir().config().egress.rules.at(index).slot));
}

service_count Packets::service(std::size_t index) {
    return must(weir().node().service_hits(weir().config().balancer.services.at(index).slot));
}

backend_count Packets::backend(std::size_t service, std::size_t index) {
    return must(weir().node().backend_hits(
        weir().config().balancer.services.at(service).backends.at(index).slot));
}

} // namespace weir::test
