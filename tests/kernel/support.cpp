#include "support.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "kernel/attach.h"
#include "kernel/bpf.h"
#include "kernel/tables.h"

namespace weir::kernel {
namespace {

constexpr std::size_t kNodes = 700;

service_key key_of(std::uint16_t port) {
    service_key key{};
    key.vip[0] = 0x0a7100cb;
    key.port = port;
    key.proto = 6;
    key.family = 4;
    return key;
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
    images.balancer.services = {
        {key_of(80), {.slot = 1, .ring = 0, .usable = mark, .forward = 0, .ring_digest = 0}}};
    backend one{};
    one.handle = mark;
    images.balancer.backends = {{3, one}};
    images.balancer.rings = {{1, std::vector<std::uint32_t>(RING_SIZE, mark)}};
    images.settings.services = mark;
    return images;
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

    service found{};
    const auto services = table_of(node, "service_tables", record.service_table);
    const auto& [key, value] = wanted.balancer.services.front();
    if (!services || bpf_map_lookup_elem(services->get(), &key, &found) != 0) {
        return faults + "no service";
    }
    if (found.usable != mark) {
        faults += "service_tables differ; ";
    }
    faults += differs("rings", found.ring, array(wanted.balancer.rings.front().backend));
    std::vector<backend> backends(node.limits().backends);
    backends[3] = wanted.balancer.backends.front().second;
    return faults + differs("backend_tables", record.backend_table, array(backends));
}

} // namespace weir::kernel
