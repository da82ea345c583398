#include "text/packet_text.h"

#include <fmt/format.h>
#include <set>
#include <string>

#include "base/protocols.h"
#include "text/lexer.h"
#include "text/rule_names.h"
#include "text/rule_value.h"

namespace weir::text {
namespace {

using model::Field;

// What an Ethernet frame of an ordinary link leaves for it, with room for every header.
constexpr std::uint64_t kPayloadMax = 1400;

// Words that describe packets and that no rule has.
constexpr std::string_view kTtl = "ip ttl";
constexpr std::string_view kHopLimit = "ip6 hoplimit";
constexpr std::string_view kPayload = "payload length";

class PacketParser {
public:
    PacketParser(std::string_view source, std::vector<Token> tokens, const PacketFields& unsaid)
        : cursor_(source, std::move(tokens)), packet_(unsaid) {}

    Parsed<PacketFields> parse() {
        if (cursor_.at_end()) {
            return refuse(cursor_.peek(), "the packet is not described; for instance: ip daddr "
                                          "203.0.113.10 tcp dport 80");
        }
        while (!cursor_.at_end()) {
            WEIR_PARSE_CHECK(parse_field());
        }
        WEIR_PARSE_CHECK(settle());
        return packet_;
    }

private:
    Parsed<bool> parse_field() {
        const Token first = cursor_.take();
        const Token second = cursor_.peek();
        const std::string keyword = std::string(first.text) + " " + std::string(second.text);
        if (keyword == kTtl || keyword == kHopLimit || keyword == kPayload) {
            cursor_.take();
            return parse_own(first, keyword);
        }
        const auto field = model::find_field(keyword);
        if (first.text == "iifname" || first.text == "oifname") {
            return refuse(first, "the interface is not part of the packet: say --dev");
        }
        if (!field) {
            return unknown(first, keyword);
        }
        cursor_.take();
        if (*field != Field::kVlanId && !seen_.insert(keyword).second) {
            return refuse(first, fmt::format("'{}' stands twice", keyword));
        }
        WEIR_PARSE_CHECK(take_header(first, keyword));
        if (*field == Field::kTcpFlags) {
            return parse_flags();
        }
        return parse_value(*field);
    }

    static Parsed<bool> unknown(const Token& first, const std::string& keyword) {
        std::vector<std::string_view> known = {kTtl, kHopLimit, kPayload};
        for (const model::FieldInfo& info : model::all_fields()) {
            known.push_back(info.keyword);
        }
        const std::string near = did_you_mean(keyword, known);
        return refuse(first,
                      fmt::format("unknown words '{}': expected a field of a rule, such as "
                                  "ip saddr or tcp dport{}",
                                  keyword,
                                  near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
    }

    // The numbers that only packets have.
    Parsed<bool> parse_own(const Token& first, const std::string& keyword) {
        if (!seen_.insert(keyword).second) {
            return refuse(first, fmt::format("'{}' stands twice", keyword));
        }
        const std::uint64_t most = keyword == kPayload ? kPayloadMax : 255;
        const Token word = cursor_.take();
        const auto number = word.word() ? parse_number(word.text) : std::nullopt;
        if (!number || number->overflow || number->value > most) {
            return refuse(word, fmt::format("'{}': {} expects a number from 0 to {}", word.text,
                                            keyword, most));
        }
        if (keyword == kPayload) {
            packet_.payload_length = static_cast<std::uint32_t>(number->value);
            return true;
        }
        packet_.hop_limit = static_cast<std::uint8_t>(number->value);
        return take_header(first, keyword);
    }

    Parsed<bool> parse_value(Field field) {
        const Token word = cursor_.peek();
        std::vector<Warning> warnings;
        WEIR_PARSE(const auto value,
                   parse_interval(cursor_, form_of(model::info(field)), warnings));
        if (value.first != value.last) {
            return refuse(word, fmt::format("'{}': a packet has one value of each field",
                                            cursor_.since(word)));
        }
        store(field, value.first);
        return true;
    }

    void store(Field field, U128 value) {
        const auto number = static_cast<std::uint16_t>(value.lo);
        const auto octet = static_cast<std::uint8_t>(value.lo);
        switch (field) {
        case Field::kIifname:
        case Field::kOifname:
        case Field::kTcpFlags:
            break; // never come here
        case Field::kEtherSaddr:
            packet_.ether_saddr = MacAddr::from_number(value.lo);
            break;
        case Field::kEtherDaddr:
            packet_.ether_daddr = MacAddr::from_number(value.lo);
            break;
        case Field::kEtherType:
            packet_.ether_type = number;
            break;
        case Field::kVlanId:
            packet_.vlan_ids.push_back(number);
            break;
        case Field::kIpSaddr:
            packet_.saddr = IpAddr::v4(static_cast<std::uint32_t>(value.lo));
            break;
        case Field::kIpDaddr:
            packet_.daddr = IpAddr::v4(static_cast<std::uint32_t>(value.lo));
            break;
        case Field::kIp6Saddr:
            packet_.saddr = IpAddr::v6(value);
            break;
        case Field::kIp6Daddr:
            packet_.daddr = IpAddr::v6(value);
            break;
        case Field::kIpDscp:
        case Field::kIp6Dscp:
            packet_.dscp = octet;
            break;
        case Field::kIpFragOff:
            packet_.frag_off = number;
            break;
        case Field::kMetaL4proto:
        case Field::kIpProtocol:
            stated_protocol_ = octet;
            break;
        case Field::kTcpSport:
        case Field::kUdpSport:
            packet_.sport = number;
            break;
        case Field::kTcpDport:
        case Field::kUdpDport:
            packet_.dport = number;
            break;
        case Field::kIcmpType:
        case Field::kIcmpv6Type:
            packet_.icmp_type = octet;
            break;
        case Field::kIcmpCode:
        case Field::kIcmpv6Code:
            packet_.icmp_code = octet;
            break;
        }
    }

    // `tcp flags syn,ack`: exactly these are set.
    Parsed<bool> parse_flags() {
        packet_.tcp_flags = 0;
        do {
            const Token word = cursor_.take();
            const auto flag = find_value(model::ValueType::kTcpFlags, word.text);
            if (!word.word() || !flag) {
                return refuse(word, fmt::format("'{}': tcp flags expects syn, ack, fin, rst, psh, "
                                                "urg, ecn or cwr, with commas between",
                                                word.text));
            }
            packet_.tcp_flags |= static_cast<std::uint8_t>(*flag);
        } while (cursor_.take_sign(",") || cursor_.take_sign("|"));
        return true;
    }

    // Which headers a word brings in; two of a layer contradict each other.
    Parsed<bool> take_header(const Token& first, std::string_view keyword) {
        const std::string_view header = keyword.substr(0, keyword.find(' '));
        const bool v4 = header == "ip" || header == "icmp";
        const bool v6 = header == "ip6" || header == "icmpv6";
        if (v4 || v6) {
            const Family family = v4 ? Family::kIpv4 : Family::kIpv6;
            if (family_ && *family_ != family) {
                return refuse(first, fmt::format("'{}': the packet is {} already", keyword,
                                                 v4 ? "IPv6" : "IPv4"));
            }
            family_ = family;
        }
        const std::uint8_t protocol = header == "tcp"      ? kTcp
                                      : header == "udp"    ? kUdp
                                      : header == "icmp"   ? kIcmp
                                      : header == "icmpv6" ? kIcmpv6
                                                           : 0;
        if (protocol != 0) {
            if (protocol_ && *protocol_ != protocol) {
                return refuse(first, fmt::format("'{}': the packet has another transport header "
                                                 "already",
                                                 keyword));
            }
            protocol_ = protocol;
            transport_word_ = first;
        }
        return true;
    }

    // What the words say together.
    Parsed<bool> settle() {
        const Token end = cursor_.peek();
        if (protocol_ && stated_protocol_ && *protocol_ != *stated_protocol_) {
            return refuse(*transport_word_,
                          fmt::format("the protocol is said to be {}, and another header is "
                                      "described",
                                      *stated_protocol_));
        }
        if (transport_word_ && (packet_.frag_off & 0x1fff) != 0) {
            return refuse(*transport_word_, "a later fragment has no transport header: say `meta "
                                            "l4proto` instead");
        }
        packet_.protocol = protocol_ ? protocol_ : stated_protocol_;
        packet_.ip = family_ || packet_.protocol || !packet_.ether_type ||
                     packet_.ether_type == 0x0800 || packet_.ether_type == 0x86dd;
        packet_.family =
            family_.value_or(packet_.ether_type == 0x86dd ? Family::kIpv6 : Family::kIpv4);
        if (packet_.vlan_ids.size() > kVlanMax) {
            return refuse(end, fmt::format("more than {} VLAN tags", kVlanMax));
        }
        set_icmp_default();
        return true;
    }

    // Without a type it is an echo request.
    void set_icmp_default() {
        if (packet_.protocol == kIcmp && !seen_.contains("icmp type")) {
            packet_.icmp_type = 8;
        }
        if (packet_.protocol == kIcmpv6 && !seen_.contains("icmpv6 type")) {
            packet_.icmp_type = 128;
        }
    }

    static constexpr std::size_t kVlanMax = 8; // more than the parser follows, on purpose

    Cursor cursor_;
    PacketFields packet_;
    std::set<std::string> seen_;
    std::optional<Family> family_;
    std::optional<std::uint8_t> protocol_;        // by a header that is described
    std::optional<std::uint8_t> stated_protocol_; // by `ip protocol`, `meta l4proto`
    std::optional<Token> transport_word_;
};

} // namespace

Parsed<PacketFields> parse_packet(std::string_view description, const PacketFields& unsaid) {
    WEIR_PARSE(auto tokens, tokenize(description));
    return PacketParser(description, std::move(tokens), unsaid).parse();
}

} // namespace weir::text
