#include "prog/packets.h"

namespace weir::test {
namespace {

class Link : public Packets {};

TEST_F(Link, PlainPacketPasses) {
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{})), pass());
}

} // namespace
} // namespace weir::test
