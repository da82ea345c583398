#include "base/address.h"

#include <arpa/inet.h>
#include <charconv>
#include <cstdio>
#include <cstring>

namespace weir {
namespace {

// A number with the lowest `count` of 128 bits set.
U128 low_bits(int count) {
    if (count <= 0) {
        return {};
    }
    if (count >= 128) {
        return {~0ULL, ~0ULL};
    }
    if (count >= 64) {
        return {count == 64 ? 0 : (~0ULL >> (128 - count)), ~0ULL};
    }
    return {0, ~0ULL >> (64 - count)};
}

IpAddr from_number(Family family, U128 number) {
    return family == Family::kIpv4 ? IpAddr::v4(static_cast<std::uint32_t>(number.lo))
                                   : IpAddr::v6(number);
}

} // namespace

IpAddr IpAddr::v4(std::uint32_t host_order) {
    IpAddr address;
    for (int i = 0; i < 4; i++) {
        address.octets_[i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
    }
    return address;
}

IpAddr IpAddr::v6(U128 number) {
    IpAddr address;
    address.family_ = Family::kIpv6;
    for (int i = 0; i < 8; i++) {
        address.octets_[i] = static_cast<std::uint8_t>(number.hi >> (56 - 8 * i));
        address.octets_[8 + i] = static_cast<std::uint8_t>(number.lo >> (56 - 8 * i));
    }
    return address;
}

Result<IpAddr> IpAddr::parse(std::string_view text) {
    const std::string terminated(text);
    IpAddr address;
    // What the C functions below do not see must not be there.
    const bool whole = text.find('\0') == std::string_view::npos;
    if (whole && ::inet_pton(AF_INET, terminated.c_str(), address.octets_.data()) == 1) {
        return address;
    }
    address.family_ = Family::kIpv6;
    if (whole && ::inet_pton(AF_INET6, terminated.c_str(), address.octets_.data()) == 1) {
        return address;
    }
    return usage("'" + terminated + "' is not an IP address: expected 192.0.2.1 or 2001:db8::1");
}

U128 IpAddr::number() const {
    U128 number;
    if (family_ == Family::kIpv4) {
        for (int i = 0; i < 4; i++) {
            number.lo = number.lo << 8 | octets_[i];
        }
        return number;
    }
    for (int i = 0; i < 8; i++) {
        number.hi = number.hi << 8 | octets_[i];
        number.lo = number.lo << 8 | octets_[8 + i];
    }
    return number;
}

std::string IpAddr::to_string() const {
    char text[INET6_ADDRSTRLEN];
    ::inet_ntop(family_ == Family::kIpv4 ? AF_INET : AF_INET6, octets_.data(), text, sizeof text);
    return text;
}

Prefix::Prefix(IpAddr address, int length) : length_(length) {
    const U128 host = low_bits(address.bits() - length);
    const U128 number = address.number();
    address_ = from_number(address.family(), {number.hi & ~host.hi, number.lo & ~host.lo});
}

Result<Prefix> Prefix::parse(std::string_view text, bool* masked) {
    const auto slash = text.find('/');
    WEIR_TRY(const IpAddr address, IpAddr::parse(text.substr(0, slash)));
    int length = address.bits();
    if (slash != std::string_view::npos) {
        const std::string_view digits = text.substr(slash + 1);
        const std::errc error =
            std::from_chars(digits.data(), digits.data() + digits.size(), length).ec;
        const bool canonical = std::to_string(length) == digits; // neither "-0" nor "08"
        if (error != std::errc{} || !canonical || length < 0 || length > address.bits()) {
            return usage("'" + std::string(text) + "': the prefix length must be 0 to " +
                         std::to_string(address.bits()));
        }
    }
    const Prefix prefix(address, length);
    if (masked != nullptr) {
        *masked = prefix.address() != address;
    }
    return prefix;
}

U128 Prefix::last() const {
    const U128 host = low_bits(address_.bits() - length_);
    const U128 number = address_.number();
    return {number.hi | host.hi, number.lo | host.lo};
}

bool Prefix::contains(const Prefix& other) const {
    return address_.family() == other.address_.family() && length_ <= other.length_ &&
           Prefix(other.address_, length_) == *this;
}

std::string Prefix::to_string() const {
    const std::string address = address_.to_string();
    return length_ == address_.bits() ? address : address + "/" + std::to_string(length_);
}

MacAddr MacAddr::from_number(std::uint64_t number) {
    MacAddr mac;
    for (int i = 0; i < 6; i++) {
        mac.octets_[i] = static_cast<std::uint8_t>(number >> (40 - 8 * i));
    }
    return mac;
}

Result<MacAddr> MacAddr::parse(std::string_view text) {
    const auto refuse = [&] {
        return usage("'" + std::string(text) +
                     "' is not an Ethernet address: expected 02:00:00:00:00:01");
    };
    std::array<std::uint8_t, 6> octets{};
    std::size_t at = 0;
    for (std::size_t i = 0; i < octets.size(); i++) {
        const std::size_t end = i == 5 ? text.size() : text.find(':', at);
        if (end == std::string_view::npos || end - at < 1 || end - at > 2) {
            return refuse();
        }
        const auto [stop, error] =
            std::from_chars(text.data() + at, text.data() + end, octets[i], 16);
        if (error != std::errc{} || stop != text.data() + end) {
            return refuse();
        }
        at = end + 1;
    }
    return MacAddr(octets);
}

std::uint64_t MacAddr::number() const {
    std::uint64_t number = 0;
    for (const std::uint8_t octet : octets_) {
        number = number << 8 | octet;
    }
    return number;
}

std::string MacAddr::to_string() const {
    char text[18];
    std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", octets_[0], octets_[1],
                  octets_[2], octets_[3], octets_[4], octets_[5]);
    return text;
}

} // namespace weir
