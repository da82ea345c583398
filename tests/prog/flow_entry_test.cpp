#include "prog/flows.h"

#include <algorithm>
#include <span>

#include "kernel/bpf.h"
#include "kernel/flow_table.h"

// What stands in the balancer's tables, put there by hand: by other CPUs, and long ago.
namespace weir::test {
namespace {

template <typename Row>
class Rows {
public:
    Rows(WeirUnderTest& weir, const char* map)
        : mapping_(
              must(kernel::Mapping::of(weir.node().map(map), kernel::Mapping::Access::kWrite))) {}
    std::span<Row> all() {
        return {reinterpret_cast<Row*>(mapping_.bytes().data()),
                mapping_.bytes().size() / sizeof(Row)};
    }

private:
    kernel::Mapping mapping_;
};

class FlowEntries : public Flows {
protected:
    Rows<flow> entries() { return {weir(), maps::flows.name}; }
    // The only entry there is.
    static flow& only(Rows<flow>& entries) {
        const auto all = entries.all();
        const auto found = std::find_if(all.begin(), all.end(),
                                        [](const flow& each) { return each.fingerprint != 0; });
        EXPECT_NE(found, all.end());
        return *found;
    }
    static void fill_with_living(std::span<flow> entries, model::Slot backend) {
        for (std::size_t i = 0; i < entries.size(); ++i) {
            entries[i] = {.fingerprint = i + 1000,
                          .backend = backend,
                          .stamp = kernel::flow_ticks() << FLOW_STAMP_SHIFT};
        }
    }
    model::Slot backend_of(std::size_t service, std::size_t index) {
        return weir().config().balancer.services.at(service).backends.at(index).slot;
    }
    void drain_one_for_two() {
        with_backends("10.0.2.1");
        with_backends("{address: 10.0.2.1, weight: 0}, 10.0.2.2");
    }
};

// All services share the table: whose entry is lost must not conclude anything from its silence.
TEST_F(FlowEntries, OverflowIsOfTheServiceThatLostAnEntry) {
    drain_one_for_two();
    auto flows = entries();
    fill_with_living(flows.all(), backend_of(0, 0));

    weir().let_pass(HOT_TICKS + 10);

    EXPECT_EQ(to(udp(1000)), "10.0.2.2");

    EXPECT_EQ(tracked(1).size(), 1U) << "entered on sight, in place of another";
    EXPECT_EQ(ring(0).overflow, 1U);
    EXPECT_EQ(ring(1).overflow, 0U);
    constexpr std::uint64_t kIdle =
        model::kIdleDefault * std::uint64_t{1'000'000'000} >> FLOW_TICK_SHIFT;
    weir().let_pass(static_cast<std::uint32_t>(kIdle) - 5);
    EXPECT_GT(ring(0).hot, 0U) << "who lost one closes for longer";
    EXPECT_EQ(ring(1).hot, 0U);
}

// A client's answer finds both lines of established flows full: the connection goes on where it is.
TEST_F(FlowEntries, HalfOpenFlowThatFindsNoRoomLivesAsLongAsItSpeaks) {
    drain_one_for_two();
    EXPECT_EQ(to(tcp(1000, kSyn)), "10.0.2.2");
    auto flows = entries();
    flow& entry = only(flows);
    const auto established = flows.all().first(weir().node().limits().flows);
    ASSERT_GE(&entry, &*established.end());
    fill_with_living(established, backend_of(1, 0));

    for (int i = 0; i < 3; ++i) {
        entry.stamp -= (CLOSED_TICKS - 5) << FLOW_STAMP_SHIFT;
        EXPECT_EQ(to(tcp(1000, kAck)), "10.0.2.2") << i;
    }
    EXPECT_NE(entry.fingerprint, 0U) << "there was no room for it elsewhere";

    entry.stamp -= (CLOSED_TICKS + 5) << FLOW_STAMP_SHIFT;
    EXPECT_EQ(to(tcp(1000, kAck)), "10.0.2.1") << "it was silent";
}

// CPUs do not read the clock at the same moment.
TEST_F(FlowEntries, TimeThatAnotherCpuReadsLaterIsNow) {
    drain_one_for_two();
    EXPECT_EQ(to(tcp(1000, kSyn)), "10.0.2.2");
    auto flows = entries();
    only(flows).stamp += 1 << FLOW_STAMP_SHIFT;
    Rows<service_state> states(weir(), maps::service_states.name);
    states.all()[weir().config().balancer.services.at(0).slot].changed += 2;

    EXPECT_EQ(to(tcp(1000, kAck)), "10.0.2.2");
    EXPECT_EQ(to(tcp(1001, kAck)), "10.0.2.1") << "open before the change, which was just now";
    EXPECT_EQ(tracked().size(), 1U);
}

} // namespace
} // namespace weir::test
