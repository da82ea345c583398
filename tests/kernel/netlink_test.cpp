#include <algorithm>

#include "kernel/netlink.h"
#include "support.h"

namespace weir::kernel {
namespace {

using testing::Contains;

using Links = NetnsTest;

TEST_F(Links, AreListedWithTheirKind) {
    shell("ip link set wk0 mtu 1400 address 02:00:00:00:00:aa");

    const auto link = find_interface("wk0");

    ASSERT_EQ(message_of(link), "");
    EXPECT_EQ(link->kind, "veth");
    EXPECT_EQ(link->mtu, 1400U);
    EXPECT_EQ(link->mac.to_string(), "02:00:00:00:00:aa");
    EXPECT_TRUE(link->up);
    EXPECT_EQ(link->xdp_program, 0U);
    EXPECT_EQ(link->xdp_mode, "");
    EXPECT_EQ(interfaces()->size(), 3U); // lo, wk0, wk1
}

TEST_F(Links, TellTheirXdpFeatures) {
    const auto features = xdp_features();

    ASSERT_EQ(message_of(features), "");
    if (!*features) {
        GTEST_SKIP() << "kernel before 6.3";
    }
    const std::uint32_t index = find_interface("wk0")->index;
    const auto device = std::find_if((*features)->begin(), (*features)->end(),
                                     [&](const XdpFeatures& f) { return f.index == index; });
    ASSERT_NE(device, (*features)->end());
    EXPECT_THAT(device->names, Contains("basic"));
    EXPECT_THAT(device->names, Contains("redirect"));
}

} // namespace
} // namespace weir::kernel
