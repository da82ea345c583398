#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/seed.h"
#include "maps/reason.h"
#include "model/rule.h"
#include "model/service.h"
#include "model/set.h"

namespace weir::model {

// Name of a packet class or an action as the command line and YAML have it.
std::string_view name(packet_class c);
std::string_view name(class_action a);
std::string_view name(reason r);
std::string_view meaning(reason r); // "" where there is no such reason
std::string_view name(verdict v);
std::optional<packet_class> find_class(std::string_view name);
std::optional<class_action> find_action(std::string_view name);
std::array<class_action, CLASS_COUNT> default_class_actions();

inline constexpr std::uint32_t kIdleDefault = 900;
inline constexpr std::uint32_t kIdleMax = 604800; // a week

struct Balancer {
    // Outer source of tunnelled packets: an address, or a prefix whose host bits come from the flow
    // so that the backend's NIC spreads flows over its queues.
    std::optional<Prefix> source;  // IPv4
    std::optional<Prefix> source6; // IPv6
    // MAC address of the next hop. With it, tunnelled packets go back out of the interface that
    // they came from; without it, the kernel's routing table decides.
    std::optional<MacAddr> gateway;
    // What rings and flow hashes are made with: the same on every node that serves the same VIPs, and
    // unknown to clients. Made up when the first service comes, if it is not given.
    std::optional<Seed> seed;
    // Seconds of silence after which a TCP flow is forgotten.
    std::uint32_t idle = kIdleDefault;
    std::vector<Service> services;
};

// Everything that `weir apply` sets and `weir export` prints: one generation, as a value.
struct Config {
    Chain ingress;
    Chain egress;
    std::array<class_action, CLASS_COUNT> class_actions = default_class_actions();
    std::map<std::string, Set> sets;
    Balancer balancer;

    Chain& chain(ChainName name) { return name == ChainName::kIngress ? ingress : egress; }
    const Chain& chain(ChainName name) const {
        return name == ChainName::kIngress ? ingress : egress;
    }
};

// What was given at `weir load`: sizes of the maps.
struct Limits {
    std::uint32_t nodes = 65536; // of the compiled rules; power of two
    std::uint32_t rules = 16384;
    std::uint32_t set_elements = 65536; // in all sets of a family, after splitting into prefixes
    std::uint32_t services = 1024;
    std::uint32_t backends = 16384;
    std::uint32_t buckets = 2097152; // of the rings of all services, live and being built
    std::uint32_t flows = 262144;    // tracked after a change; power of two
    bool operator==(const Limits&) const = default;
};

// Why a rule or a service cannot stand where it does: which match or backend it is about, the
// offending word as `text` writes it, and the whole sentence.
struct Contradiction {
    std::size_t index = 0;
    std::string word;
    std::string message;
};
std::optional<Contradiction> contradiction(const Rule& rule, ChainName chain,
                                           const std::map<std::string, Set>& sets);
std::optional<Contradiction> contradiction(const Service& service);
// What is wrong with a comment or with a set's name; "" if nothing is.
std::string comment_fault(std::string_view comment);
std::string set_name_fault(std::string_view name);
// Octets before the first that is not UTF-8 (RFC 3629); all of them if the text is.
std::size_t utf8_length(std::string_view text);

// Says what a whole configuration contradicts in itself: a set that a rule names and that does not
// exist or is of another type; VIPs named twice; a backend whose family the mode cannot carry;
// `oifname` outside egress, `iifname` outside ingress; more than SETS_MAX sets; what exceeds
// `limits`.
Result<> check(const Config& config, const Limits& limits);

// A configuration that is put in force again keeps the rings of `live`, which may have grown since: a ring
// never shrinks (ring_buckets()).
void keep_rings(Balancer& balancer, const Balancer& live);

// For each rule of `to` the index in `from` of the rule that says the same, or kNoRule. Each index
// stands once; where rules repeat, in order.
inline constexpr std::size_t kNoRule = static_cast<std::size_t>(-1);
std::vector<std::size_t> match_rules(const std::vector<Rule>& from, const std::vector<Rule>& to);

// Who has used which handle and slot; saved beside the configuration.
struct Identities {
    Handle next_handle = 1;
};

// Gives every rule, service and backend of `wanted` its handle and slot: those of the thing in
// `live` that says the same (rules: same text, in order; services: same key; backends: same address
// in the same service), else new ones. A rule that comes with the handle of a rule of the same
// chain of `live` keeps it, and its slot if it says the same. A slot used by anything in `kept`
// (configurations that can still be rolled back to) is not given to something new, so that counters
// never mix. Answers the slots newly given: their counters must be zeroed before use.
struct FreshSlots {
    std::vector<Slot> rules, services, backends;
};
Result<FreshSlots> assign_identities(Config& wanted, const Config& live,
                                     const std::vector<const Config*>& kept, const Limits& limits,
                                     Identities& ids);

} // namespace weir::model
