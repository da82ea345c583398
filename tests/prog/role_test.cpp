#include "prog/packets.h"

// What an interface is for.
namespace weir::test {
namespace {

class FilterRole : public Packets {};

TEST_F(FilterRole, FiltersAndDoesNotBalance) {
    apply(R"(
firewall: {ingress: {rules: [tcp dport 23 drop]}}
lb:
  source: 10.99.0.1
  gateway: 02:00:00:00:00:99
  services: [{vip: 203.0.113.10:80/tcp, backends: [10.0.2.2]}]
)");
    weir().add_interface(kLoopback, "lo", ROLE_FILTER, 0);
    const Octets to_vip = frame(Ipv4{.dst = "203.0.113.10"}, Tcp{});
    EXPECT_EQ(xdp(to_vip), pass());
    EXPECT_EQ(output(), to_vip);
    EXPECT_EQ(xdp(frame(Ipv4{.dst = "203.0.113.10"}, Icmp{})), pass());
    EXPECT_EQ(xdp(frame(Ipv4{.dst = "203.0.113.10", .frag_offset = 9}, payload(8))), pass());
    EXPECT_EQ(xdp(frame(Ipv4{.dst = "203.0.113.10"}, Tcp{.dport = 23})), drop(REASON_RULE));
    EXPECT_EQ(service(0).packets, 0U);
}

class DecapRole : public Packets {
protected:
    void SetUp() override {
        Packets::SetUp();
        apply("firewall: {ingress: {rules: [tcp dport 23 drop]}}");
        weir().add_interface(kLoopback, "lo", ROLE_DECAP, 0);
    }

    // Sent in the given headers, the inner packet arrives alone.
    template <typename... Outer>
    void expect_unpacked(const Raw& inner, std::uint16_t type, const Outer&... outer) {
        const auto before = books(HOOK_XDP).decapsulated;
        EXPECT_EQ(xdp(frame(outer..., inner)), pass());
        EXPECT_EQ(hex(output()), hex(frame(Ether{.type = type}, inner)));
        EXPECT_EQ(books(HOOK_XDP).decapsulated, before + 1);
    }

    const Raw inner4_ = packet(Ipv4{.dst = "203.0.113.10"}, Tcp{}, payload("abc"));
    const Raw inner6_ = packet(Ipv6{.dst = "2001:db8::10"}, Tcp{}, payload("abc"));
};

TEST_F(DecapRole, EachFamilyIsTakenOutOfEach) {
    expect_unpacked(inner4_, 0x0800, Ipv4{.protocol = 4});
    expect_unpacked(inner6_, 0x86dd, Ipv4{.protocol = 41});
    expect_unpacked(inner4_, 0x0800, Ipv6{.next = 4});
    expect_unpacked(inner6_, 0x86dd, Ipv6{.next = 41});
}

TEST_F(DecapRole, OptionsAndExtensionsOfTheOuterHeaderGoWithIt) {
    expect_unpacked(inner4_, 0x0800, Ipv4{.protocol = 4, .options = Octets(40, 1)});
    expect_unpacked(inner6_, 0x86dd, Ipv6{}, HopByHop{}, DestOpts{.next = 41});
}

TEST_F(DecapRole, TagsStay) {
    EXPECT_EQ(xdp(frame(Vlan{.id = 7}, Ipv4{.protocol = 4}, inner4_)), pass());
    EXPECT_EQ(hex(output()), hex(frame(Vlan{.id = 7, .type = 0x0800}, inner4_)));
    EXPECT_EQ(xdp(frame(Vlan{.id = 7}, Vlan{.id = 8}, Ipv4{.protocol = 41}, inner6_)), pass());
    EXPECT_EQ(hex(output()), hex(frame(Vlan{.id = 7}, Vlan{.id = 8, .type = 0x86dd}, inner6_)));
}

TEST_F(DecapRole, RulesSeeTheInnerPacket) {
    EXPECT_EQ(xdp(frame(Ipv4{}, Ipv4{}, Tcp{.dport = 23})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv6{}, Ipv6{}, Tcp{.dport = 23})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv4{}, Ipv6{}, DestOpts{}, Tcp{.dport = 23})), drop(REASON_RULE));
    EXPECT_EQ(books(HOOK_XDP).decapsulated, 3U);
}

TEST_F(DecapRole, RulesStillSeeTheTagAndTheInterface) {
    apply(R"(
firewall: {ingress: {rules: [iifname "lo" vlan id 7 tcp dport 80 drop]}}
)");
    EXPECT_EQ(xdp(frame(Vlan{.id = 7}, Ipv4{}, Ipv4{}, Tcp{})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Vlan{.id = 8}, Ipv4{}, Ipv4{}, Tcp{})), pass());
}

TEST_F(DecapRole, OneOuterHeaderIsTakenOff) {
    EXPECT_EQ(xdp(frame(Ipv4{}, Ipv4{}, Ipv4{}, Tcp{.dport = 23})), pass());
    EXPECT_EQ(hex(output()), hex(frame(Ipv4{}, Ipv4{}, Tcp{.dport = 23})));
}

TEST_F(DecapRole, PlainPacketsAreFilteredAsEver) {
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{})), pass());
    EXPECT_EQ(output(), frame(Ipv4{}, Tcp{}));
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{.dport = 23})), drop(REASON_RULE));
    EXPECT_EQ(books(HOOK_XDP).decapsulated, 0U);
}

TEST_F(DecapRole, BrokenInnerPacketIsDropped) {
    EXPECT_EQ(xdp(frame(Ipv4{.protocol = 4})), drop(REASON_TRUNCATED));
    EXPECT_EQ(xdp(frame(Ipv4{}, Ipv4{.version = 5}, Tcp{})), drop(REASON_BAD_IP_VERSION));
    EXPECT_EQ(xdp(frame(Ipv4{.protocol = 41}, inner4_)), drop(REASON_BAD_IP_VERSION));
    EXPECT_EQ(xdp(frame(Ipv4{}, Ipv4{.total_length = 400}, Tcp{})), drop(REASON_BAD_LENGTH));
    EXPECT_EQ(xdp(frame(Ipv6{}, Ipv6{.payload_length = 400}, Tcp{})), drop(REASON_BAD_LENGTH));
}

TEST_F(DecapRole, InnerPacketCutAnywhereIsDropped) {
    const Raw inners[] = {inner4_, inner6_};
    for (const Raw& inner : inners) {
        const std::uint8_t protocol = &inner == &inners[0] ? 4 : 41;
        const std::size_t header = protocol == 4 ? 20 : 40;
        for (std::size_t length = 0; length < inner.octets.size(); ++length) {
            const Octets cut(inner.octets.begin(),
                             inner.octets.begin() + static_cast<long>(length));
            // Whole, the inner header tells more than is there.
            const Fate fate = drop(length < header ? REASON_TRUNCATED : REASON_BAD_LENGTH);
            EXPECT_EQ(xdp(frame(Ipv4{.protocol = protocol}, raw(cut))), fate) << length;
            EXPECT_EQ(xdp(frame(Ipv6{.next = protocol}, raw(cut))), fate) << length;
        }
    }
}

// Of a fragmented outer packet no part is the inner packet.
TEST_F(DecapRole, FragmentsOfTheOuterPacketStayInTheirHeader) {
    const Octets later = frame(Ipv4{.frag_offset = 9, .protocol = 4}, inner4_);
    EXPECT_EQ(xdp(later), pass());
    EXPECT_EQ(output(), later);
    const Octets first = frame(Ipv4{.more_fragments = true, .protocol = 4}, inner4_);
    EXPECT_EQ(xdp(first), pass());
    EXPECT_EQ(output(), first);
    const Octets first6 = frame(Ipv6{}, Fragment{.more = true, .next = 41}, inner6_);
    EXPECT_EQ(xdp(first6), pass());
    EXPECT_EQ(output(), first6);
    EXPECT_EQ(books(HOOK_XDP).decapsulated, 0U);
}

TEST_F(DecapRole, PacketClassesOfBothHeadersCount) {
    EXPECT_EQ(xdp(frame(Ipv4{.options = Octets(4, 1)}, Ipv6{}, HopByHop{}, Tcp{})), pass());
    EXPECT_EQ(seen(CLASS_IPV4_OPTIONS), 1U);
    EXPECT_EQ(seen(CLASS_IPV6_EXTENSIONS), 1U);
}

} // namespace
} // namespace weir::test
