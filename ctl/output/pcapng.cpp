#include "output/pcapng.h"

#include <cstring>
#include <type_traits>

namespace weir::output::pcapng {
namespace {

constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a, kInterfaceDescription = 1,
                        kInterfaceStatistics = 5, kEnhancedPacket = 6;
constexpr std::uint32_t kByteOrder = 0x1a2b3c4d;
constexpr std::uint16_t kEthernet = 1; // LINKTYPE_ETHERNET
constexpr std::size_t kWord = 4;       // everything begins at a multiple of it

// Options, by block.
constexpr std::uint16_t kComment = 1;
constexpr std::uint16_t kApplication = 4;                                 // section header
constexpr std::uint16_t kName = 2, kDescription = 3, kTimeResolution = 9, // interface description
    kFilter = 11;
constexpr std::uint16_t kFlags = 2, kPacketId = 5, kVerdict = 7; // enhanced packet
constexpr std::uint16_t kReceived = 4, kDropped = 5;             // interface statistics

class Block {
public:
    explicit Block(std::uint32_t type) { number(type).number(std::uint32_t{0}); }

    template <typename Number>
    Block& number(Number value) {
        static_assert(std::is_integral_v<Number>);
        octets_.append(reinterpret_cast<const char*>(&value), sizeof(value));
        return *this;
    }
    // A time is two halves, the higher first.
    Block& time(std::uint64_t value) {
        constexpr unsigned kHalf = 32;
        return number(static_cast<std::uint32_t>(value >> kHalf))
            .number(static_cast<std::uint32_t>(value));
    }
    Block& padded(std::string_view data) {
        octets_ += data;
        octets_.append((kWord - data.size() % kWord) % kWord, '\0');
        return *this;
    }
    Block& option(std::uint16_t code, std::string_view value) {
        constexpr std::size_t kMost = 0xffff;
        value = value.substr(0, kMost);
        number(code).number(static_cast<std::uint16_t>(value.size()));
        return padded(value);
    }
    template <typename Number>
    Block& option_number(std::uint16_t code, Number value) {
        return option(code, {reinterpret_cast<const char*>(&value), sizeof(value)});
    }
    // A text that may be left out.
    Block& option_text(std::uint16_t code, std::string_view value) {
        return value.empty() ? *this : option(code, value);
    }

    // The end of the options, and the length, at both ends.
    std::string finish() && {
        number(std::uint32_t{0});
        const auto length = static_cast<std::uint32_t>(octets_.size() + sizeof(std::uint32_t));
        number(length);
        std::memcpy(octets_.data() + sizeof(std::uint32_t), &length, sizeof(length));
        return std::move(octets_);
    }

private:
    std::string octets_;
};

} // namespace

std::string section_header(std::string_view application) {
    Block block(kSectionHeader);
    block.number(kByteOrder)
        .number(std::uint16_t{1}) // version 1.0
        .number(std::uint16_t{0})
        .number(std::int64_t{-1}) // length: not told, there is one section
        .option_text(kApplication, application);
    return std::move(block).finish();
}

std::string interface_description(const InterfaceDescription& interface) {
    constexpr std::uint8_t kNanoseconds = 9; // 10^-9 s
    Block block(kInterfaceDescription);
    block.number(kEthernet)
        .number(std::uint16_t{0}) // reserved
        .number(interface.snap)
        .option_text(kName, interface.name)
        .option_text(kDescription, interface.description)
        .option_number(kTimeResolution, kNanoseconds);
    if (!interface.filter.empty()) {
        block.option(kFilter, std::string(1, '\0') + interface.filter); // 0: libpcap's words
    }
    return std::move(block).finish();
}

std::string enhanced_packet(const Packet& packet) {
    std::string verdict(1, static_cast<char>(packet.program));
    verdict.append(reinterpret_cast<const char*>(&packet.verdict), sizeof(packet.verdict));
    Block block(kEnhancedPacket);
    block.number(packet.interface)
        .time(packet.time)
        .number(static_cast<std::uint32_t>(packet.octets.size()))
        .number(packet.length)
        .padded({reinterpret_cast<const char*>(packet.octets.data()), packet.octets.size()})
        .option_text(kComment, packet.comment)
        .option_number(kFlags, static_cast<std::uint32_t>(packet.direction))
        .option_number(kPacketId, packet.id)
        .option(kVerdict, verdict);
    return std::move(block).finish();
}

std::string interface_statistics(const Statistics& statistics) {
    Block block(kInterfaceStatistics);
    block.number(statistics.interface)
        .time(statistics.time)
        .option_number(kReceived, statistics.received)
        .option_number(kDropped, statistics.dropped);
    return std::move(block).finish();
}

} // namespace weir::output::pcapng
