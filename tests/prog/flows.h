#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kernel/rings.h"
#include "maps/balancer.h"
#include "prog/packets.h"

namespace weir::test {

// A packet here is as real as it gets without a network: the clock of changes alone is moved by
// hand.
class Flows : public Packets {
protected:
    // One service, 203.0.113.10:80/tcp and :53/udp, with these backends in YAML.
    void with_backends(const std::string& list) {
        apply("lb:\n  source: 10.99.0.1\n  source6: fd00:99::1\n  gateway: 02:00:00:00:00:99\n"
              "  services:\n"
              "    - {vip: '203.0.113.10:80/tcp', backends: [" +
              list +
              "]}\n"
              "    - {vip: '203.0.113.10:53/udp', backends: [" +
              list + "]}\n");
    }
    static Octets tcp(std::uint16_t sport, std::uint8_t flags, const char* src = "198.51.100.1") {
        return frame(Ipv4{.src = src, .dst = "203.0.113.10"}, Tcp{.sport = sport, .flags = flags});
    }
    static Octets udp(std::uint16_t sport, Raw data = {}) {
        return frame(Ipv4{.dst = "203.0.113.10"}, Udp{.sport = sport, .dport = 53}, data);
    }
    // A QUIC client's first packet: long header, type Initial, version 1, 1,200 bytes (RFC 9000).
    static Octets quic(std::uint16_t sport) {
        Octets initial(1200, 0);
        initial[0] = 0xc3;
        initial[4] = 1;
        return udp(sport, Raw{initial});
    }
    // Where the packet was sent.
    std::string to(const Octets& packet) {
        EXPECT_EQ(xdp(packet), sent());
        return decode(output()).ip.at(0).dst;
    }
    std::vector<kernel::TrackedFlow> tracked(std::size_t index = 0) {
        return must(weir().node().flows(weir().config().balancer.services.at(index).slot, 0));
    }
    kernel::RingStatus ring(std::size_t index = 0) {
        return must(weir().node().ring_statuses())
            .at(weir().config().balancer.services.at(index).slot);
    }
    // Connections that are open, by client port.
    std::map<std::uint16_t, std::string> open(std::uint16_t first, std::uint16_t count) {
        std::map<std::uint16_t, std::string> connections;
        for (std::uint16_t port = first; port < first + count; ++port) {
            connections[port] = to(tcp(port, kSyn));
            EXPECT_EQ(to(tcp(port, kAck)), connections[port]);
        }
        return connections;
    }
    void expect_unmoved(const std::map<std::uint16_t, std::string>& connections) {
        for (const auto& [port, backend] : connections) {
            EXPECT_EQ(to(tcp(port, kAck | kPsh)), backend) << port;
        }
    }
};

} // namespace weir::test
