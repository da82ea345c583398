#include "support/frame.h"

#include <stdexcept>

#include "base/address.h"

namespace weir::test {
namespace {

// What the layers above tell those below: the addresses of the pseudo header, and the family.
struct Above {
    int family = 0; // 4, 6; 0: no IP header yet
    Octets pseudo_addresses{};
};

void put8(Octets& out, std::uint64_t value) {
    out.push_back(static_cast<std::uint8_t>(value));
}
void put16(Octets& out, std::uint64_t value) {
    put8(out, value >> 8);
    put8(out, value);
}
void put32(Octets& out, std::uint64_t value) {
    put16(out, value >> 16);
    put16(out, value);
}
void put(Octets& out, const Octets& octets) {
    out.insert(out.end(), octets.begin(), octets.end());
}

void put_mac(Octets& out, const std::string& text) {
    const auto mac = MacAddr::parse(text);
    if (!mac) {
        throw std::invalid_argument(text);
    }
    out.insert(out.end(), mac->octets().begin(), mac->octets().end());
}

Octets address(const std::string& text, Family family) {
    const auto parsed = IpAddr::parse(text);
    if (!parsed || parsed->family() != family) {
        throw std::invalid_argument(text);
    }
    const auto& octets = parsed->octets();
    return {octets.begin(), octets.begin() + parsed->bits() / 8};
}

Octets filled(Octets octets, std::size_t unit, std::size_t before = 0) {
    while ((octets.size() + before) % unit != 0) {
        octets.push_back(0);
    }
    return octets;
}

// RFC 1071.
std::uint16_t internet_checksum(const Octets& octets) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < octets.size(); i += 2) {
        sum += octets[i] << 8 | (i + 1 < octets.size() ? octets[i + 1] : 0);
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<std::uint16_t>(~sum);
}

std::uint16_t transport_checksum(const Above& above, std::uint8_t protocol, const Octets& segment) {
    Octets summed = above.pseudo_addresses;
    put32(summed, segment.size());
    put32(summed, protocol);
    put(summed, segment);
    return internet_checksum(summed);
}

void set16(Octets& octets, std::size_t at, std::uint16_t value) {
    octets[at] = static_cast<std::uint8_t>(value >> 8);
    octets[at + 1] = static_cast<std::uint8_t>(value);
}

struct EtherType {
    std::uint16_t operator()(const Vlan& vlan) const { return vlan.tpid; }
    std::uint16_t operator()(const Arp&) const { return 0x0806; }
    std::uint16_t operator()(const Ipv4&) const { return 0x0800; }
    std::uint16_t operator()(const Ipv6&) const { return 0x86dd; }
    // IEEE 802: local experimental.
    template <typename Other>
    std::uint16_t operator()(const Other&) const {
        return 0x88b5;
    }
};

struct Protocol {
    int family;
    std::uint8_t operator()(const Ipv4&) const { return 4; }
    std::uint8_t operator()(const Ipv6&) const { return 41; }
    std::uint8_t operator()(const HopByHop&) const { return 0; }
    std::uint8_t operator()(const DestOpts&) const { return 60; }
    std::uint8_t operator()(const Routing&) const { return 43; }
    std::uint8_t operator()(const Fragment&) const { return 44; }
    std::uint8_t operator()(const Ah&) const { return 51; }
    std::uint8_t operator()(const Tcp&) const { return 6; }
    std::uint8_t operator()(const Udp&) const { return 17; }
    std::uint8_t operator()(const Icmp&) const { return 1; }
    std::uint8_t operator()(const Icmpv6&) const { return 58; }
    // IPv6: no next header. IPv4 has no such number: RFC 3692, experiments.
    template <typename Other>
    std::uint8_t operator()(const Other&) const {
        return family == 6 ? 59 : 253;
    }
};

class Builder {
public:
    explicit Builder(const std::vector<Layer>& layers) : layers_(layers) {}

    Octets from(std::size_t index, const Above& above) const {
        if (index == layers_.size()) {
            return {};
        }
        return std::visit([&](const auto& layer) { return encode(layer, index, above); },
                          layers_[index]);
    }

private:
    std::uint16_t type_behind(std::size_t index) const {
        return index + 1 < layers_.size() ? std::visit(EtherType{}, layers_[index + 1]) : 0x88b5;
    }
    std::uint8_t protocol_behind(std::size_t index, int family) const {
        const Layer end = Raw{};
        return std::visit(Protocol{family}, index + 1 < layers_.size() ? layers_[index + 1] : end);
    }

    Octets encode(const Ether& ether, std::size_t index, const Above& above) const {
        Octets out;
        put_mac(out, ether.dst);
        put_mac(out, ether.src);
        put16(out, ether.type.value_or(type_behind(index)));
        put(out, from(index + 1, above));
        return out;
    }

    Octets encode(const Vlan& vlan, std::size_t index, const Above& above) const {
        Octets out;
        put16(out, vlan.priority << 13 | vlan.id);
        put16(out, vlan.type.value_or(type_behind(index)));
        put(out, from(index + 1, above));
        return out;
    }

    Octets encode(const Arp& arp, std::size_t index, const Above& above) const {
        Octets out{0, 1, 8, 0, 6, 4}; // Ethernet, IPv4
        put16(out, arp.operation);
        put_mac(out, "02:00:00:00:00:01");
        put(out, address("192.0.2.1", Family::kIpv4));
        put_mac(out, "00:00:00:00:00:00");
        put(out, address("192.0.2.2", Family::kIpv4));
        put(out, from(index + 1, above));
        return out;
    }

    Octets encode(const Ipv4& ip, std::size_t index, const Above&) const {
        const Octets src = address(ip.src, Family::kIpv4), dst = address(ip.dst, Family::kIpv4);
        Above here{.family = 4, .pseudo_addresses = src};
        put(here.pseudo_addresses, dst);
        const Octets rest = from(index + 1, here);
        const Octets options = filled(ip.options, 4);
        const std::size_t header = 20 + options.size();

        Octets out;
        put8(out, ip.version << 4 | ip.header_words.value_or(header / 4));
        put8(out, ip.tos);
        put16(out, ip.total_length.value_or(header + rest.size()));
        put16(out, ip.id);
        put16(out, ip.reserved_flag << 15 | ip.dont_fragment << 14 | ip.more_fragments << 13 |
                       ip.frag_offset);
        put8(out, ip.ttl);
        put8(out, ip.protocol.value_or(protocol_behind(index, 4)));
        put16(out, 0);
        put(out, src);
        put(out, dst);
        put(out, options);
        set16(out, 10, ip.checksum.value_or(internet_checksum(out)));
        put(out, rest);
        return out;
    }

    Octets encode(const Ipv6& ip, std::size_t index, const Above&) const {
        const Octets src = address(ip.src, Family::kIpv6), dst = address(ip.dst, Family::kIpv6);
        Above here{.family = 6, .pseudo_addresses = src};
        put(here.pseudo_addresses, dst);
        const Octets rest = from(index + 1, here);

        Octets out;
        put32(out, static_cast<std::uint64_t>(ip.version) << 28 | ip.traffic_class << 20 |
                       ip.flow_label);
        put16(out, ip.payload_length.value_or(rest.size()));
        put8(out, ip.next.value_or(protocol_behind(index, 6)));
        put8(out, ip.hop_limit);
        put(out, src);
        put(out, dst);
        put(out, rest);
        return out;
    }

    template <typename Options>
    Octets encode_options(const Options& header, std::size_t index, const Above& above) const {
        const Octets options = filled(header.options, 8, 2);
        Octets out;
        put8(out, header.next.value_or(protocol_behind(index, 6)));
        put8(out, header.length.value_or((options.size() + 2) / 8 - 1));
        put(out, options);
        put(out, from(index + 1, above));
        return out;
    }
    Octets encode(const HopByHop& header, std::size_t index, const Above& above) const {
        return encode_options(header, index, above);
    }
    Octets encode(const DestOpts& header, std::size_t index, const Above& above) const {
        return encode_options(header, index, above);
    }

    Octets encode(const Routing& header, std::size_t index, const Above& above) const {
        const Octets data = filled(header.data, 8, 4);
        Octets out;
        put8(out, header.next.value_or(protocol_behind(index, 6)));
        put8(out, header.length.value_or((data.size() + 4) / 8 - 1));
        put8(out, header.type);
        put8(out, header.segments_left);
        put(out, data);
        put(out, from(index + 1, above));
        return out;
    }

    Octets encode(const Fragment& header, std::size_t index, const Above& above) const {
        Octets out;
        put8(out, header.next.value_or(protocol_behind(index, 6)));
        put8(out, 0);
        put16(out, header.offset << 3 | header.more);
        put32(out, header.id);
        put(out, from(index + 1, above));
        return out;
    }

    Octets encode(const Ah& header, std::size_t index, const Above& above) const {
        const Octets icv = filled(header.icv, 8, 12);
        Octets out;
        put8(out, header.next.value_or(protocol_behind(index, above.family)));
        put8(out, header.length.value_or((12 + icv.size()) / 4 - 2));
        put16(out, 0);
        put32(out, 0x100); // security parameters index
        put32(out, 1);     // sequence
        put(out, icv);
        put(out, from(index + 1, above));
        return out;
    }

    Octets encode(const Tcp& tcp, std::size_t index, const Above& above) const {
        const Octets options = filled(tcp.options, 4);
        Octets out;
        put16(out, tcp.sport);
        put16(out, tcp.dport);
        put32(out, tcp.sequence);
        put32(out, tcp.acknowledgement);
        put8(out, tcp.data_offset.value_or((20 + options.size()) / 4) << 4);
        put8(out, tcp.flags);
        put16(out, 64240); // window
        put16(out, 0);
        put16(out, 0); // urgent pointer
        put(out, options);
        put(out, from(index + 1, above));
        set16(out, 16, tcp.checksum.value_or(transport_checksum(above, 6, out)));
        return out;
    }

    Octets encode(const Udp& udp, std::size_t index, const Above& above) const {
        const Octets rest = from(index + 1, above);
        Octets out;
        put16(out, udp.sport);
        put16(out, udp.dport);
        put16(out, udp.length.value_or(8 + rest.size()));
        put16(out, 0);
        put(out, rest);
        const std::uint16_t computed = transport_checksum(above, 17, out);
        // RFC 768: 0 would say that there is none.
        set16(out, 6, udp.checksum.value_or(computed == 0 ? 0xffff : computed));
        return out;
    }

    template <typename Message>
    Octets encode_icmp(const Message& icmp, std::size_t index, const Above& above) const {
        Octets out;
        put8(out, icmp.type);
        put8(out, icmp.code);
        put16(out, 0);
        put16(out, icmp.id);
        put16(out, icmp.sequence);
        put(out, from(index + 1, above));
        return out;
    }
    Octets encode(const Icmp& icmp, std::size_t index, const Above& above) const {
        Octets out = encode_icmp(icmp, index, above);
        set16(out, 2, icmp.checksum.value_or(internet_checksum(out)));
        return out;
    }
    Octets encode(const Icmpv6& icmp, std::size_t index, const Above& above) const {
        Octets out = encode_icmp(icmp, index, above);
        set16(out, 2, icmp.checksum.value_or(transport_checksum(above, 58, out)));
        return out;
    }

    Octets encode(const Raw& raw, std::size_t index, const Above& above) const {
        Octets out = raw.octets;
        put(out, from(index + 1, above));
        return out;
    }

    const std::vector<Layer>& layers_;
};

} // namespace

Octets build(const std::vector<Layer>& layers) {
    return Builder(layers).from(0, {});
}

Octets first(std::size_t count, Octets frame) {
    frame.resize(count);
    return frame;
}

Octets padded(Octets frame, std::size_t to) {
    if (frame.size() < to) {
        frame.resize(to);
    }
    return frame;
}

std::string hex(const Octets& octets) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t octet : octets) {
        text += kDigits[octet >> 4];
        text += kDigits[octet & 15];
    }
    return text;
}

} // namespace weir::test
