#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <string_view>
#include <utility>

#include "support/decode.h"
#include "support/frame.h"
#include "support/weir_under_test.h"

namespace weir::test {

constexpr std::uint32_t kLoopback = 1; // its index in every network namespace

// What became of a packet, as the program answered and as the books say.
struct Fate {
    verdict end = VERDICT_COUNT; // VERDICT_COUNT: none, an abort
    reason why = REASON_COUNT;   // of a drop
    bool operator==(const Fate&) const = default;
};
inline Fate pass() {
    return {VERDICT_PASS, REASON_COUNT};
}
inline Fate sent() {
    return {VERDICT_SEND, REASON_COUNT};
}
inline Fate redirected() {
    return {VERDICT_REDIRECT, REASON_COUNT};
}
inline Fate drop(reason why) {
    return {VERDICT_DROP, why};
}
std::ostream& operator<<(std::ostream& out, const Fate& fate);

// One Weir for all tests of this process; every test starts with an empty configuration, policy
// accept, no flows. After every test the books must add up to what was run.
class Packets : public ::testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

    static WeirUnderTest& weir();
    void apply(std::string_view yaml) { weir().apply(yaml); }

    Fate xdp(const Octets& frame, Arrival how = {});
    Fate tc_ingress(const Octets& frame, Arrival how = {});
    Fate tc_egress(const Octets& frame, Arrival how = {});
    // None if this kernel cannot run it so.
    std::optional<Fate> try_run(kernel::Program program, const Octets& frame, Arrival how);
    // What the last run left.
    const Octets& output() const { return last_.output; }
    const Octets& metadata() const { return last_.metadata; }

    // Since the test began.
    std::uint64_t seen(packet_class c, std::uint32_t ifindex = 0);
    hook_count books(hook at, std::uint32_t ifindex = 0);
    // By place in the configuration.
    rule_count rule(std::size_t index);
    rule_count egress_rule(std::size_t index);
    service_count service(std::size_t index);
    backend_count backend(std::size_t service, std::size_t index);
    // What the test ran by itself, beside this fixture, is not to be in the account.
    void forget(hook at) { accounts_.erase({weir().slot_of(0), at}); }

private:
    // A row of hook_counts: an interface's slot, and the hook.
    using Row = std::pair<std::uint32_t, hook>;
    struct Account {
        hook_count at_start{};
        hook_count now{};
        std::uint64_t packets = 0; // run by this test
        std::uint64_t octets = 0;
    };
    Account& account(Row row);
    Fate book(Row row, const Octets& frame, kernel::Program program);

    std::map<Row, Account> accounts_;
    Answer last_;
};

// Two addresses on the same link as frame() has them.
inline constexpr const char* kClientMac = "02:00:00:00:00:01";
inline constexpr const char* kOurMac = "02:00:00:00:00:02";

} // namespace weir::test
