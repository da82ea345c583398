#include "model/service.h"

#include <gtest/gtest.h>

namespace weir::model {
namespace {

TEST(ServiceKey, PrintsWhatItRead) {
    for (const char* text :
         {"203.0.113.10:80/tcp", "203.0.113.10:any/udp", "[2001:db8::10]:443/udp",
          "[2001:db8::10]:any/tcp", "203.0.113.10:65535/tcp"}) {
        const auto key = ServiceKey::parse(text);
        ASSERT_TRUE(key) << key.error().message();
        EXPECT_EQ(key->to_string(), text);
    }
    const ServiceKey key = *ServiceKey::parse("203.0.113.10:80/tcp");
    EXPECT_EQ(key.vip, IpAddr::v4(0xcb00710a));
    EXPECT_EQ(key.port, 80);
    EXPECT_EQ(key.proto, Transport::kTcp);
    EXPECT_EQ(ServiceKey::parse("[::1]:any/udp")->port, 0);
}

TEST(ServiceKey, SaysWhatIsWrong) {
    const std::string form =
        "expected 203.0.113.10:80/tcp, [2001:db8::10]:80/tcp or 203.0.113.10:any/udp";
    const std::pair<std::string, std::string> cases[] = {
        {"203.0.113.10:70000/tcp", "port '70000' must be 1 to 65535, or any"},
        {"203.0.113.10:0/tcp", "port '0' must be 1 to 65535, or any"},
        {"203.0.113.10:-1/tcp", "port '-1' must be 1 to 65535, or any"},
        {"203.0.113.10:/tcp", "port '' must be 1 to 65535, or any"},
        {"203.0.113.10:http/tcp", "port 'http' must be 1 to 65535, or any"},
        {"203.0.113.10:80", "/tcp or /udp is missing: " + form},
        {"", "/tcp or /udp is missing: " + form},
        {"203.0.113.10:80/sctp", "protocol 'sctp' must be tcp or udp"},
        {"203.0.113.10:80/", "protocol '' must be tcp or udp"},
        {"203.0.113.10:80/TCP", "protocol 'TCP' must be tcp or udp"},
        {"203.0.113.10/tcp", "the port is missing: " + form},
        {"[2001:db8::10]/tcp", "the port is missing: " + form},
        {"[2001:db8::10:80/tcp", "']' is missing: " + form},
        {"2001:db8::10:80/tcp", "an IPv6 address stands in brackets: " + form},
        {"[203.0.113.10]:80/tcp", "'203.0.113.10' is not an IPv6 address: " + form},
        {"203.0.113.256:80/tcp", "'203.0.113.256' is not an IPv4 address: " + form},
        {"203.0.113.0/24:80/tcp", "'203.0.113.0/24' is not an IPv4 address: " + form},
        {"[2001:db8::g]:80/tcp", "'2001:db8::g' is not an IPv6 address: " + form},
    };
    for (const auto& [text, problem] : cases) {
        const auto key = ServiceKey::parse(text);
        ASSERT_FALSE(key) << text;
        EXPECT_EQ(key.error().message(), "service '" + text + "': " + problem);
        EXPECT_EQ(key.error().fault(), Fault::kUsage);
    }
}

TEST(Service, Names) {
    EXPECT_EQ(name(Transport::kTcp), "tcp");
    EXPECT_EQ(name(Transport::kUdp), "udp");
    EXPECT_EQ(name(Forward::kIpip), "ipip");
    EXPECT_EQ(name(Forward::kL2Dsr), "l2dsr");
    EXPECT_EQ(name(ChainName::kIngress), "ingress");
    EXPECT_EQ(name(ChainName::kEgress), "egress");
}

} // namespace
} // namespace weir::model
