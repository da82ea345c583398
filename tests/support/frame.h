#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// Frames in words: frame(Vlan{.id = 5}, Ipv4{.dst = "10.0.0.1"}, Tcp{.dport = 23}, payload("x")).
// Lengths, types and checksums are right unless a word says otherwise.
namespace weir::test {

using Octets = std::vector<std::uint8_t>;

enum TcpFlag : std::uint8_t {
    kFin = 0x01,
    kSyn = 0x02,
    kRst = 0x04,
    kPsh = 0x08,
    kAck = 0x10,
    kUrg = 0x20,
    kEce = 0x40,
    kCwr = 0x80,
};

struct Ether {
    std::string src = "02:00:00:00:00:01";
    std::string dst = "02:00:00:00:00:02";
    std::optional<std::uint16_t> type{};
};

struct Vlan {
    std::uint16_t id = 1;
    std::uint8_t priority = 0;
    std::uint16_t tpid = 0x8100;
    std::optional<std::uint16_t> type{}; // of what follows
};

struct Arp {
    std::uint16_t operation = 1;
};

struct Ipv4 {
    std::string src = "198.51.100.1";
    std::string dst = "192.0.2.1";
    std::uint8_t tos = 0;
    std::optional<std::uint16_t> total_length{};
    std::uint16_t id = 0x1234;
    bool reserved_flag = false;
    bool dont_fragment = false;
    bool more_fragments = false;
    std::uint16_t frag_offset = 0; // 8-octet units
    std::uint8_t ttl = 57;
    std::optional<std::uint8_t> protocol{};
    std::optional<std::uint16_t> checksum{};
    std::uint8_t version = 4;
    std::optional<std::uint8_t> header_words{}; // the IHL field
    Octets options{};                           // filled with zeros to whole words
};

struct Ipv6 {
    std::string src = "2001:db8:c::1";
    std::string dst = "2001:db8::1";
    std::uint8_t traffic_class = 0;
    std::uint32_t flow_label = 0;
    std::optional<std::uint16_t> payload_length{};
    std::optional<std::uint8_t> next{};
    std::uint8_t hop_limit = 57;
    std::uint8_t version = 6;
};

// Options are filled with Pad1 (zeros) to whole 8-octet units. `length` is the header's field.
struct HopByHop {
    Octets options{1, 4, 0, 0, 0, 0}; // PadN
    std::optional<std::uint8_t> next{};
    std::optional<std::uint8_t> length{};
};

struct DestOpts {
    Octets options{1, 4, 0, 0, 0, 0};
    std::optional<std::uint8_t> next{};
    std::optional<std::uint8_t> length{};
};

struct Routing {
    std::uint8_t type = 0;
    std::uint8_t segments_left = 0;
    Octets data{0, 0, 0, 0};
    std::optional<std::uint8_t> next{};
    std::optional<std::uint8_t> length{};
};

struct Fragment {
    std::uint16_t offset = 0; // 8-octet units
    bool more = false;
    std::uint32_t id = 0x89abcdef;
    std::optional<std::uint8_t> next{};
};

struct Ah {
    Octets icv{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    std::optional<std::uint8_t> next{};
    std::optional<std::uint8_t> length{};
};

struct Tcp {
    std::uint16_t sport = 40000;
    std::uint16_t dport = 80;
    std::uint32_t sequence = 1000;
    std::uint32_t acknowledgement = 2000;
    std::optional<std::uint8_t> data_offset{}; // words
    std::uint8_t flags = kAck;
    std::optional<std::uint16_t> checksum{};
    Octets options{}; // filled with zeros to whole words
};

struct Udp {
    std::uint16_t sport = 40000;
    std::uint16_t dport = 53;
    std::optional<std::uint16_t> length{};
    std::optional<std::uint16_t> checksum{};
};

struct Icmp {
    std::uint8_t type = 8;
    std::uint8_t code = 0;
    std::uint16_t id = 7;
    std::uint16_t sequence = 1;
    std::optional<std::uint16_t> checksum{};
};

struct Icmpv6 {
    std::uint8_t type = 128;
    std::uint8_t code = 0;
    std::uint16_t id = 7;
    std::uint16_t sequence = 1;
    std::optional<std::uint16_t> checksum{};
};

// Octets as they are: a payload, or a header that has no word here.
struct Raw {
    Octets octets{};
};

inline Raw payload(std::string_view text) {
    return {Octets(text.begin(), text.end())};
}
inline Raw payload(std::size_t length, std::uint8_t value = 'x') {
    return {Octets(length, value)};
}
inline Raw raw(Octets octets) {
    return {std::move(octets)};
}

using Layer = std::variant<Ether, Vlan, Arp, Ipv4, Ipv6, HopByHop, DestOpts, Routing, Fragment, Ah,
                           Tcp, Udp, Icmp, Icmpv6, Raw>;

// The layers one behind the other, without anything in front.
Octets build(const std::vector<Layer>& layers);

// A frame; an Ethernet header is put in front if it does not begin with one.
template <typename... Layers>
Octets frame(const Layers&... layers) {
    std::vector<Layer> all{Layer(layers)...};
    if (!std::holds_alternative<Ether>(all.front())) {
        all.insert(all.begin(), Ether{});
    }
    return build(all);
}

// The same without the Ethernet header: what a tunnel or an ICMP error carries.
template <typename... Layers>
Raw packet(const Layers&... layers) {
    return {build({Layer(layers)...})};
}

// Ends the frame early; fills it up as a short frame on Ethernet is.
Octets first(std::size_t count, Octets frame);
Octets padded(Octets frame, std::size_t to = 60);

std::string hex(const Octets& octets);

} // namespace weir::test
