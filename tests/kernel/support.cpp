#include "support.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <span>

#include "kernel/attach.h"
#include "kernel/banks.h"
#include "kernel/bpf.h"
#include "kernel/tables.h"

namespace weir::kernel {
namespace {

constexpr std::size_t kNodes = 700;

service marked_service(std::uint32_t mark) {
    service one{};
    one.vip_lo = mark;
    one.key = SERVICE_KEY(80, 6, 4);
    one.flags = SERVICE_HERE;
    one.slot = 1;
    one.ring_mask = RING_PAGE - 1;
    return one;
}

Result<Fd> table_of(const Node& node, const char* pool, std::uint32_t index) {
    return open_table(node.map(pool), index);
}

} // namespace

void PinsTest::SetUp() {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "needs root";
    }
    base_ = "/sys/fs/bpf/weir-kt-" + std::to_string(::getpid());
    ASSERT_EQ(message_of(pins().prepare()), "");
}

void PinsTest::TearDown() {
    std::error_code ignored;
    std::filesystem::remove_all(base_, ignored);
}

void PinsTest::load_weir(const model::Limits& limits) {
    const auto loaded = load(pins(), limits);
    ASSERT_EQ(message_of(loaded), "");
    ASSERT_TRUE(*loaded);
}

Node PinsTest::open_node() const {
    auto node = Node::open(pins());
    if (!node) {
        ADD_FAILURE() << node.error().message();
        std::abort();
    }
    return *std::move(node);
}

void NetnsTest::SetUp() {
    PinsTest::SetUp();
    if (IsSkipped()) {
        return;
    }
    outer_namespace_ = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    ASSERT_GE(outer_namespace_, 0);
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0) << std::strerror(errno);
    shell("ip link set lo up");
    shell("ip link add wk0 type veth peer name wk1");
    shell("ip link set wk0 up");
    shell("ip link set wk1 up");
}

void NetnsTest::TearDown() {
    if (outer_namespace_ >= 0) {
        EXPECT_EQ(::setns(outer_namespace_, CLONE_NEWNET), 0);
        ::close(outer_namespace_);
    }
    PinsTest::TearDown();
}

void NetnsTest::shell(const std::string& command) {
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

compile::Images marked_images(std::uint32_t mark) {
    compile::Images images;
    images.firewall.nodes.resize(kNodes);
    for (fw_node& node : images.firewall.nodes) {
        node.first = mark;
        node.span = FW_ACCEPT;
    }
    images.sets.v4 = {{{.prefix_len = 32, .addr = mark}, {.sets = mark}}};
    images.sets.v6 = {{{.prefix_len = 128, .addr = {mark, 0, 0, 1}}, {.sets = mark}}};
    images.sets.ports.resize(PORTS, set_mask{mark});
    images.balancer.services = *compile::service_table(
        {marked_service(mark)}, compile::service_places(small_limits().services));
    backend one{};
    one.handle = mark;
    one.service = 1;
    images.balancer.backends = {{0, one}}; // no mark: the owners of rings are gone with each change
    images.balancer.rings = {{1, std::vector<std::uint32_t>(RING_PAGE, mark)}};
    images.settings.services = mark;
    return images;
}

std::optional<service> service_in(const Node& node, const generation& record, std::uint32_t slot) {
    const auto banks = Banks<service>::open(node, maps::service_tables, Mapping::Access::kRead);
    const auto places = banks->at(record.service_table);
    const auto found = std::ranges::find_if(places, [&](const service& each) {
        return (each.flags & SERVICE_HERE) != 0 && each.slot == slot;
    });
    return found == places.end() ? std::nullopt : std::optional(*found);
}

std::string mixed_up(const Node& node, const Kept& kept, std::uint32_t mark) {
    compile::Images wanted = marked_images(mark);
    const generation& record = kept.record;
    const auto differs = [&](const char* pool, std::uint32_t index, const Contents& contents) {
        const auto table = table_of(node, pool, index);
        if (!table) {
            return std::string(pool) + ": " + table.error().message() + "; ";
        }
        const auto same = holds(table->get(), contents);
        return same && *same ? std::string() : std::string(pool) + " differs; ";
    };
    const auto array = [](const auto& values) {
        return Contents{.array = octets_of(values), .elements = {}};
    };
    const auto elements = [](const auto& pairs) {
        return Contents{.array = {}, .elements = elements_of(pairs)};
    };
    std::string faults;
    if (kept.state != std::to_string(mark)) {
        faults += "state says " + kept.state + "; ";
    }
    if (record.services != mark) {
        faults += "record says " + std::to_string(record.services) + "; ";
    }
    faults += differs("fw_images", record.fw_image, array(wanted.firewall.nodes));
    faults += differs("set4_tables", record.set4_table, elements(wanted.sets.v4));
    faults += differs("set6_tables", record.set6_table, elements(wanted.sets.v6));
    faults += differs("set_port_tables", record.set_port_table, array(wanted.sets.ports));

    const auto found = service_in(node, record, 1);
    if (!found) {
        return faults + "no service";
    }
    if (found->vip_lo != mark) {
        faults += "service_tables differ; ";
    }
    for (std::uint32_t i = 0; i <= found->ring_mask; ++i) {
        const std::uint32_t index = found->ring + i;
        bucket each{};
        if (bpf_map_lookup_elem(node.map("rings"), &index, &each) != 0 || each.current != mark ||
            each.base != mark) {
            faults += "rings differ; ";
        }
    }
    std::vector<backend> backends(node.limits().backends);
    backends[0] = wanted.balancer.backends.front().second;
    const auto banks = Banks<backend>::open(node, maps::backend_tables, Mapping::Access::kRead);
    return faults + (banks->holds(record.backend_table, backends) ? "" : "backend_tables differ; ");
}

} // namespace weir::kernel
