#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// Blocks of a pcapng file (draft-ietf-opsawg-pcapng), each as octets in the order of this machine,
// which the section header tells readers.
namespace weir::output::pcapng {

// Begins a file.
std::string section_header(std::string_view application);

// Where packets were seen. The file's first has the number 0 in the blocks that follow.
struct InterfaceDescription {
    std::string name;
    std::string description;
    std::string filter; // "" : none
    std::uint32_t snap = 0;
};
// Ethernet; times in nanoseconds.
std::string interface_description(const InterfaceDescription& interface);

enum class Direction : std::uint32_t { kInbound = 1, kOutbound = 2 };
// Of what an epb_verdict tells.
enum class VerdictOf : std::uint8_t { kTc = 1, kXdp = 2 };

struct Packet {
    std::uint32_t interface = 0;
    std::uint64_t time = 0;   // ns since 1970
    std::uint32_t length = 0; // as it was; more than `octets` where the capture cut it
    std::span<const std::uint8_t> octets;
    Direction direction = Direction::kInbound;
    std::uint64_t id = 0; // the same for one packet seen at several interfaces
    VerdictOf program = VerdictOf::kXdp;
    std::int64_t verdict = 0; // XDP_*, TC_ACT_*
    std::string comment;
};
std::string enhanced_packet(const Packet& packet);

struct Statistics {
    std::uint32_t interface = 0;
    std::uint64_t time = 0; // ns since 1970
    std::uint64_t received = 0;
    std::uint64_t dropped = 0; // for want of room
};
std::string interface_statistics(const Statistics& statistics);

} // namespace weir::output::pcapng
