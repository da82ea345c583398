#include "support/decode.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdio>
#include <span>

namespace weir::test {
namespace {

using View = std::span<const std::uint8_t>;

unsigned be16(View octets, std::size_t at) {
    return octets[at] * 256U + octets[at + 1];
}

std::string mac(View octets) {
    char text[18];
    std::snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", octets[0], octets[1],
                  octets[2], octets[3], octets[4], octets[5]);
    return text;
}

std::string address(int family, View octets) {
    char text[INET6_ADDRSTRLEN];
    return inet_ntop(family, octets.data(), text, sizeof(text));
}

// Even and odd octets are summed apart, and carries folded once at the end.
class OnesSum {
public:
    void add(View octets) {
        for (std::size_t i = 0; i < octets.size(); ++i) {
            (i % 2 == 0 ? high_ : low_) += octets[i];
        }
    }
    void add_number(unsigned value) { low_ += value; }
    // A header with its right checksum in it adds up to all ones.
    bool right() const { return (high_ * 256 + low_) % 0xffff == 0 && high_ + low_ != 0; }

private:
    std::uint64_t high_ = 0, low_ = 0;
};

class Decoder {
public:
    explicit Decoder(Decoded& decoded) : decoded_(decoded) {}

    void link(View frame) {
        if (frame.size() < 14) {
            return fault("frame shorter than its link-layer header");
        }
        decoded_.dst_mac = mac(frame.first(6));
        decoded_.src_mac = mac(frame.subspan(6, 6));
        std::size_t at = 12;
        while (be16(frame, at) == 0x8100 || be16(frame, at) == 0x88a8) {
            if (at + 6 > frame.size()) {
                return fault("frame ends in a VLAN tag");
            }
            decoded_.vlans.push_back(be16(frame, at + 2) & 0xfff);
            at += 4;
        }
        decoded_.type = be16(frame, at);
        network(decoded_.type == 0x0800   ? 4
                : decoded_.type == 0x86dd ? 41
                                          : -1,
                frame.subspan(at + 2));
    }

private:
    void fault(std::string what) { decoded_.faults.push_back(std::move(what)); }

    void network(int protocol, View octets) {
        if (protocol == 4) {
            ipv4(octets);
        } else if (protocol == 41) {
            ipv6(octets);
        }
    }

    void ipv4(View octets) {
        if (octets.size() < 20 || octets[0] >> 4 != 4) {
            return fault("no IPv4 header");
        }
        const std::size_t header = (octets[0] & 15UL) * 4;
        const std::size_t total = be16(octets, 2);
        if (header < 20 || total < header || total > octets.size()) {
            return fault("IPv4 lengths");
        }
        OnesSum sum;
        sum.add(octets.first(header));
        if (!sum.right()) {
            fault("IPv4 header checksum");
        }
        const unsigned fragment = be16(octets, 6);
        decoded_.ip.push_back({.version = 4,
                               .src = address(AF_INET, octets.subspan(12, 4)),
                               .dst = address(AF_INET, octets.subspan(16, 4)),
                               .tos = octets[1],
                               .total_length = static_cast<unsigned>(total),
                               .id = be16(octets, 4),
                               .dont_fragment = (fragment & 0x4000) != 0,
                               .hops = octets[8],
                               .protocol = octets[9]});
        OnesSum pseudo;
        pseudo.add(octets.subspan(12, 8));
        if ((fragment & 0x3fff) == 0) {
            behind_ip(octets[9], octets.subspan(header, total - header), pseudo);
        }
    }

    void ipv6(View octets) {
        if (octets.size() < 40 || octets[0] >> 4 != 6) {
            return fault("no IPv6 header");
        }
        const std::size_t length = be16(octets, 4);
        if (40 + length > octets.size()) {
            return fault("IPv6 payload length");
        }
        unsigned protocol = octets[6];
        View rest = octets.subspan(40, length);
        const bool whole = skip_extensions(protocol, rest);
        decoded_.ip.push_back({.version = 6,
                               .src = address(AF_INET6, octets.subspan(8, 16)),
                               .dst = address(AF_INET6, octets.subspan(24, 16)),
                               .tos = (octets[0] & 15U) * 16 + octets[1] / 16,
                               .flow_label = (octets[1] & 15U) * 65536 + be16(octets, 2),
                               .total_length = static_cast<unsigned>(40 + length),
                               .hops = octets[7],
                               .protocol = protocol});
        OnesSum pseudo;
        pseudo.add(octets.subspan(8, 32));
        if (whole) {
            behind_ip(protocol, rest, pseudo);
        }
    }

    // Answers whether a whole upper-layer packet follows.
    bool skip_extensions(unsigned& protocol, View& rest) {
        while (protocol == 0 || protocol == 43 || protocol == 44 || protocol == 51 ||
               protocol == 60) {
            if (rest.size() < 8) {
                fault("extension header");
                return false;
            }
            const std::size_t length = protocol == 44   ? 8
                                       : protocol == 51 ? (rest[1] + 2U) * 4
                                                        : (rest[1] + 1U) * 8;
            const bool fragment = protocol == 44 && (be16(rest, 2) & 0xfff9) != 0;
            protocol = rest[0];
            if (length > rest.size()) {
                fault("extension header length");
                return false;
            }
            rest = rest.subspan(length);
            if (fragment) {
                return false;
            }
        }
        return true;
    }

    void behind_ip(unsigned protocol, View segment, OnesSum pseudo) {
        if (protocol == 4 || protocol == 41) {
            return network(static_cast<int>(protocol), segment);
        }
        OnesSum plain;
        plain.add(segment);
        pseudo.add_number(protocol);
        pseudo.add_number(static_cast<unsigned>(segment.size()));
        pseudo.add(segment);
        if (protocol == 6 && (segment.size() < 20 || !pseudo.right())) {
            fault("TCP checksum");
        }
        if (protocol == 17 && (segment.size() < 8 || be16(segment, 4) != segment.size())) {
            fault("UDP length");
        } else if (protocol == 17 && be16(segment, 6) != 0 && !pseudo.right()) {
            fault("UDP checksum");
        }
        if (protocol == 1 && (segment.size() < 8 || !plain.right())) {
            fault("ICMP checksum");
        }
        if (protocol == 58 && (segment.size() < 8 || !pseudo.right())) {
            fault("ICMPv6 checksum");
        }
    }

    Decoded& decoded_;
};

} // namespace

Decoded decode(const Octets& frame) {
    Decoded decoded;
    Decoder(decoded).link(frame);
    return decoded;
}

} // namespace weir::test
