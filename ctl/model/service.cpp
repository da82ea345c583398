#include "model/service.h"

#include <algorithm>
#include <charconv>

namespace weir::model {
namespace {

constexpr std::string_view kForm = "expected 203.0.113.10:80/tcp, [2001:db8::10]:80/tcp or "
                                   "203.0.113.10:any/udp";

// What stands around the address: "203.0.113.10" ":" "80".
struct Parts {
    std::string_view vip;
    std::string_view port;
};

std::string quoted(std::string_view text) {
    return "'" + std::string(text) + "'";
}

Result<Parts> split(std::string_view text, std::string_view before_proto) {
    if (before_proto.starts_with('[')) {
        const auto end = before_proto.find(']');
        if (end == std::string_view::npos) {
            return usage("service " + quoted(text) + ": ']' is missing: " + std::string(kForm));
        }
        const std::string_view rest = before_proto.substr(end + 1);
        if (!rest.starts_with(':')) {
            return usage("service " + quoted(text) +
                         ": the port is missing: " + std::string(kForm));
        }
        return Parts{before_proto.substr(1, end - 1), rest.substr(1)};
    }
    const auto colon = before_proto.find(':');
    if (colon == std::string_view::npos) {
        return usage("service " + quoted(text) + ": the port is missing: " + std::string(kForm));
    }
    if (before_proto.find(':', colon + 1) != std::string_view::npos) {
        return usage("service " + quoted(text) +
                     ": an IPv6 address stands in brackets: " + std::string(kForm));
    }
    return Parts{before_proto.substr(0, colon), before_proto.substr(colon + 1)};
}

Result<std::uint16_t> parse_port(std::string_view text, std::string_view word) {
    if (word == "any") {
        return std::uint16_t{0};
    }
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), port);
    if (error != std::errc{} || end != word.data() + word.size() || port == 0) {
        return usage("service " + quoted(text) + ": port " + quoted(word) +
                     " must be 1 to 65535, or any");
    }
    return port;
}

Result<Transport> parse_proto(std::string_view text, std::string_view word) {
    for (const Transport proto : {Transport::kTcp, Transport::kUdp}) {
        if (word == name(proto)) {
            return proto;
        }
    }
    return usage("service " + quoted(text) + ": protocol " + quoted(word) + " must be tcp or udp");
}

} // namespace

std::string_view name(Transport proto) {
    return proto == Transport::kTcp ? "tcp" : "udp";
}

std::string_view name(Forward mode) {
    return mode == Forward::kIpip ? "ipip" : "l2dsr";
}

std::string ServiceKey::to_string() const {
    const bool brackets = vip.family() == Family::kIpv6;
    return (brackets ? "[" : "") + vip.to_string() + (brackets ? "]" : "") + ":" +
           (port == 0 ? "any" : std::to_string(port)) + "/" + std::string(name(proto));
}

Result<ServiceKey> ServiceKey::parse(std::string_view text) {
    const auto slash = text.rfind('/');
    if (slash == std::string_view::npos) {
        return usage("service " + quoted(text) +
                     ": /tcp or /udp is missing: " + std::string(kForm));
    }
    WEIR_TRY(const Parts parts, split(text, text.substr(0, slash)));
    const bool brackets = text.starts_with('[');
    auto vip = IpAddr::parse(parts.vip);
    if (!vip || (vip->family() == Family::kIpv6) != brackets) {
        return usage("service " + quoted(text) + ": " + quoted(parts.vip) + " is not an IPv" +
                     (brackets ? "6" : "4") + " address: " + std::string(kForm));
    }
    WEIR_TRY(const std::uint16_t port, parse_port(text, parts.port));
    WEIR_TRY(const Transport proto, parse_proto(text, text.substr(slash + 1)));
    return ServiceKey{*vip, port, proto};
}

const Backend* Service::backend_in(Slot backend_slot) const {
    const auto found = std::find_if(backends.begin(), backends.end(), [&](const Backend& backend) {
        return backend.slot == backend_slot;
    });
    return found == backends.end() ? nullptr : &*found;
}

} // namespace weir::model
