#include "flow/sighting.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstring>

namespace weir::flow {
namespace {

// In the order that hooks.cpp fetches them; addresses are two numbers each.
enum Number { kPacket, kSaddr, kDaddr = 3, kSport = 5, kDport, kProtocol, kLength, kNetns };
enum Text { kDevice };
constexpr std::size_t kFetchedEverywhere = 9; // fields

IpAddr address(const __u64* pair) {
    constexpr std::uint64_t kMapped = 0xffff;
    return pair[0] == 0 && pair[1] >> 32 == kMapped
               ? IpAddr::v4(static_cast<std::uint32_t>(pair[1]))
               : IpAddr::v6({pair[0], pair[1]});
}

std::string protocol_name(std::uint8_t protocol) {
    constexpr std::array<std::pair<int, const char*>, 8> kNames = {{{1, "icmp"},
                                                                    {4, "ipip"},
                                                                    {6, "tcp"},
                                                                    {17, "udp"},
                                                                    {41, "ip6"},
                                                                    {47, "gre"},
                                                                    {58, "icmp6"},
                                                                    {132, "sctp"}}};
    const auto found = std::find_if(kNames.begin(), kNames.end(),
                                    [&](const auto& each) { return each.first == protocol; });
    return found == kNames.end() ? fmt::format("protocol {}", protocol) : found->second;
}

std::string endpoint(const IpAddr& address, std::uint16_t port) {
    if (port == 0) {
        return address.to_string();
    }
    return address.family() == Family::kIpv4 ? fmt::format("{}:{}", address.to_string(), port)
                                             : fmt::format("[{}]:{}", address.to_string(), port);
}

// The number that a text begins with; 0: it begins with none.
int number_of(const std::string& text) {
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return static_cast<int>(number); // an int that was fetched without its sign has it again
}

// NFPROTO_… of linux/netfilter.h, as nft names them.
std::string netfilter_family(const std::string& number) {
    constexpr std::array kFamilies = {std::pair{"1", "inet"},   std::pair{"2", "ip"},
                                      std::pair{"3", "arp"},    std::pair{"5", "netdev"},
                                      std::pair{"7", "bridge"}, std::pair{"10", "ip6"}};
    const auto found = std::find_if(kFamilies.begin(), kFamilies.end(),
                                    [&](const auto& each) { return each.first == number; });
    return found == kFamilies.end() ? number : found->second;
}

// What a hook's number means is its family's: enum nf_inet_hooks, nf_dev_hooks of
// linux/netfilter.h, NF_ARP_… of linux/netfilter_arp.h; those of a bridge are the first.
std::string netfilter_hook(const std::string& family, const std::string& number) {
    static const std::vector<std::string> kIp = {"prerouting", "input",       "forward",
                                                 "output",     "postrouting", "ingress"};
    static const std::vector<std::string> kDevice = {"ingress", "egress"};
    static const std::vector<std::string> kArp = {"input", "output", "forward"};
    const auto& hooks = family == "netdev" ? kDevice : family == "arp" ? kArp : kIp;
    const auto at = static_cast<std::size_t>(number_of(number));
    return at < hooks.size() ? hooks[at] : number;
}

// TC_ACT_… of linux/pkt_cls.h
std::string tc_action(const std::string& number) {
    constexpr std::array kActions = {"unspec", "ok",     "reclassify", "shot",    "pipe",
                                     "stolen", "queued", "repeat",     "redirect"};
    const int at = number_of(number) + 1;
    return at >= 0 && static_cast<std::size_t>(at) < kActions.size()
               ? kActions[static_cast<std::size_t>(at)]
               : number;
}

// "XDP_DROP" is drop.
std::string xdp_action(std::string name) {
    constexpr std::string_view kPrefix = "XDP_";
    name.erase(0, name.starts_with(kPrefix) ? kPrefix.size() : 0);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return name;
}

// "weir_ingress" of "xdp:weir_ingress@exit".
std::string program_of(const std::string& probe) {
    const std::size_t colon = probe.find(':') + 1;
    return probe.substr(colon, probe.rfind('@') - colon);
}

void note(Sighting& sighting, const std::string& name, std::string value, std::uint64_t number,
          const trace::Names& names) {
    constexpr std::string_view kPrefix = "SKB_DROP_REASON_";
    if (name == "reason" && value.starts_with(kPrefix)) {
        value = value.substr(kPrefix.size());
    }
    if (name == "location") {
        const std::string function = names.symbols.function_at(number);
        sighting.notes.emplace_back("function", function.empty() ? value : function);
    } else if (name == "state->hook") {
        sighting.notes.emplace_back("hook", value);
    } else if (name == "state->pf") {
        const std::string family = netfilter_family(value);
        std::string& hook = sighting.notes.back().second; // which is fetched right before
        hook = netfilter_hook(family, hook);
        sighting.notes.emplace_back("family", family);
    } else if (name == "retval" && sighting.stage == Stage::kXdp) {
        sighting.notes.emplace_back("action", xdp_action(value));
    } else if (name == "retval" && sighting.stage == Stage::kTc) {
        sighting.notes.emplace_back("action", tc_action(value));
    } else if (name == "retval") {
        const int error = number_of(value);
        if (error < 0) {
            sighting.notes.emplace_back("error", strerrorname_np(-error));
        }
    } else {
        sighting.notes.emplace_back(name, value);
    }
}

} // namespace

std::string Tuple::to_string() const {
    return known ? fmt::format("{} {} > {}", protocol_name(protocol), endpoint(saddr, sport),
                               endpoint(daddr, dport))
                 : "-";
}

std::string Sighting::note(std::string_view name) const {
    const auto found = std::find_if(notes.begin(), notes.end(),
                                    [&](const auto& each) { return each.first == name; });
    return found == notes.end() ? "" : found->second;
}

bool Sighting::sends_frame() const {
    const std::string action = note("action");
    return stage == Stage::kXdp && (action == "tx" || action == "redirect");
}

bool Sighting::awaits_next_hop() const {
    return stage == Stage::kOutput ||
           (stage == Stage::kNetfilter && note("hook") == "postrouting" &&
            note("family").starts_with("ip"));
}

Sighting sighting_of(const trace_event& event, const trace::Probe& probe, const Hook& hook,
                     const trace::Names& names) {
    const trace::Values values = trace::values_of(event);
    Sighting sighting{.time = event.time,
                      .cpu = event.cpu,
                      .stage = hook.stage,
                      .at = hook.what.empty() ? program_of(probe.name) : hook.what,
                      .packet = hook.stage == Stage::kXdp ? 0 : event.number[kPacket],
                      .frame = hook.stage == Stage::kXdp ? event.number[kPacket] : 0,
                      .device = event.text[kDevice].octets,
                      .netns = event.number[kNetns],
                      .length = static_cast<std::uint32_t>(event.number[kLength]),
                      .pid = event.pid,
                      .comm = event.comm};
    sighting.tuple = {.protocol = static_cast<std::uint8_t>(event.number[kProtocol]),
                      .known = event.number[kSaddr] != 0 || event.number[kSaddr + 1] != 0,
                      .saddr = address(&event.number[kSaddr]),
                      .daddr = address(&event.number[kDaddr]),
                      .sport = static_cast<std::uint16_t>(event.number[kSport]),
                      .dport = static_cast<std::uint16_t>(event.number[kDport])};
    for (std::size_t i = kFetchedEverywhere; i < probe.fields.size(); i++) {
        const trace::Field& field = probe.fields[i];
        note(sighting, field.name, trace::value_text(field, values, names),
             event.number[field.index], names);
    }
    return sighting;
}

} // namespace weir::flow
