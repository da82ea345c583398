#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir {

enum class Family : std::uint8_t { kIpv4 = 4, kIpv6 = 6 };

// An unsigned 128-bit number: an IPv6 address as a quantity, or anything smaller in `lo`.
struct U128 {
    std::uint64_t hi = 0;
    std::uint64_t lo = 0;
    auto operator<=>(const U128&) const = default;
};

// An IPv4 or IPv6 address.
class IpAddr {
public:
    IpAddr() = default;
    static IpAddr v4(std::uint32_t host_order);
    static IpAddr v6(U128 number);
    // "10.0.0.1", "2001:db8::1"; strict, as inet_pton (RFC 4291, 2.2).
    static Result<IpAddr> parse(std::string_view text);

    Family family() const { return family_; }
    int bits() const { return family_ == Family::kIpv4 ? 32 : 128; }
    // The address as a number in host byte order; IPv4 in the low 32 bits.
    U128 number() const;
    // Network order; IPv4 in the first 4 octets, the rest 0: the layout of the maps' addresses.
    const std::array<std::uint8_t, 16>& octets() const { return octets_; }
    // As inet_ntop writes it (RFC 5952 for IPv6).
    std::string to_string() const;

    auto operator<=>(const IpAddr&) const = default;

private:
    Family family_ = Family::kIpv4;
    std::array<std::uint8_t, 16> octets_{};
};

// An address and how many of its leading bits count. Host bits are always zero.
class Prefix {
public:
    Prefix() = default;
    // Masks the host bits.
    Prefix(IpAddr address, int length);
    // "10.0.0.0/8", or an address alone. `*masked` tells whether host bits were set, for a warning.
    static Result<Prefix> parse(std::string_view text, bool* masked = nullptr);

    const IpAddr& address() const { return address_; }
    int length() const { return length_; }
    U128 first() const { return address_.number(); }
    U128 last() const;
    bool contains(const Prefix& other) const;
    // Without "/32" or "/128" where the prefix is one address, as nft prints it.
    std::string to_string() const;

    auto operator<=>(const Prefix&) const = default;

private:
    IpAddr address_;
    int length_ = 32;
};

// An Ethernet address.
class MacAddr {
public:
    MacAddr() = default;
    explicit MacAddr(std::array<std::uint8_t, 6> octets) : octets_(octets) {}
    static MacAddr from_number(std::uint64_t number);
    // "02:00:00:00:00:01"
    static Result<MacAddr> parse(std::string_view text);

    const std::array<std::uint8_t, 6>& octets() const { return octets_; }
    std::uint64_t number() const; // first octet in the highest of 48 bits
    std::string to_string() const;

    auto operator<=>(const MacAddr&) const = default;

private:
    std::array<std::uint8_t, 6> octets_{};
};

} // namespace weir
