#include "flow/cause.h"

#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

namespace weir::flow {
namespace {

// Of a drop reason of the kernel (enum skb_drop_reason), where it means something else in a
// function of that function alone, or of a function that drops without a reason. In the texts
// {saddr}, {daddr}, {target} (protocol, address and port), {octets}, {dev}, {hook} and {family}
// stand for the packet's own.
struct Explanation {
    std::string_view reason; // "": any that is not known
    std::string_view cause;
    std::string_view mend;
    std::string_view function = {}; // "": any
};

constexpr std::array kExplanations = {
    Explanation{"NO_SOCKET", "nothing listens on {target}",
                "start the service there, or look with `ss -lntu` where it listens"},
    Explanation{"NETFILTER_DROP", "a rule of netfilter in the hook {hook} ({family}) dropped it",
                "find the rule with `nft list ruleset`, `iptables-save` or `nft monitor trace`"},
    Explanation{"SOCKET_RCVBUFF",
                "the socket's receive buffer is full: the process reads too slowly",
                "make it read faster, or raise SO_RCVBUF and net.core.rmem_max"},
    Explanation{
        "SOCKET_FILTER", "a filter of the socket itself refused it (SO_ATTACH_FILTER, BPF)",
        "look at what the process attaches to its sockets: `ss -0 -b`, `bpftool cgroup tree`"},
    Explanation{
        "PROTO_MEM", "the protocol has used up its memory",
        "raise net.ipv4.udp_mem or tcp_mem, or find who holds it: `cat /proc/net/sockstat`"},
    Explanation{"IP_RPFILTER",
                "the reverse path filter: the route back to {saddr} is not through {dev}",
                "add the route back, or set net.ipv4.conf.{dev}.rp_filter to 2"},
    Explanation{
        "IP_INNOROUTES", "there is no route to {daddr}",
        "add one with `ip route add`; `ip route get {daddr} from {saddr} iif {dev}` shows it"},
    Explanation{"IP_OUTNOROUTES", "there is no route to {daddr}",
                "add one with `ip route add`; `ip route get {daddr}` shows it"},
    Explanation{"IP_INADDRERRORS",
                "{daddr} is no address of this host, and packets to it are not forwarded",
                "add the address with `ip addr add`, or forward: net.ipv4.ip_forward=1"},
    Explanation{"IP_INADDRERRORS",
                "{daddr} is no address of this host, and packets to it are not forwarded",
                "add the address with `ip addr add`, or forward: net.ipv6.conf.all.forwarding=1",
                "ip6_forward"},
    Explanation{"IP_LOCAL_SOURCE",
                "{saddr} is an address of this host itself, and came from outside",
                "find who else uses the address, or a loop in the network"},
    Explanation{"IP_INVALID_SOURCE", "{saddr} cannot be a source address",
                "mend the sender's address"},
    Explanation{
        "IP_CSUM", "the checksum of its IP header is wrong",
        "look at the sender's network card and what is between: `ethtool -K DEV tx off` there"},
    Explanation{"TCP_CSUM", "its TCP checksum is wrong",
                "switch off checksum offload at the sender: `ethtool -K DEV tx off`"},
    Explanation{"UDP_CSUM", "its UDP checksum is wrong",
                "switch off checksum offload at the sender: `ethtool -K DEV tx off`"},
    Explanation{"IP_INHDR", "its IP header is wrong", "look at the sender: `weir capture {dev}`"},
    Explanation{"IP_INHDR", "its TTL ended here, on its way to {daddr}",
                "look for a loop of routes, or raise the sender's TTL: `ip route get {daddr}` here "
                "and at each next hop",
                "ip_forward"},
    Explanation{"IP_INHDR", "its hop limit ended here, on its way to {daddr}",
                "look for a loop of routes, or raise the sender's hop limit: `ip route get {daddr}` "
                "here and at each next hop",
                "ip6_forward"},
    Explanation{"OTHERHOST", "its Ethernet address is another host's",
                "see who answers for it: `ip neigh` at the sender"},
    Explanation{"NEIGH_FAILED", "the next hop towards {daddr} does not answer to ARP or ND",
                "see whether it is there: `ip neigh`, `ip route get {daddr}`"},
    Explanation{"NEIGH_QUEUEFULL", "too many packets wait for the next hop's answer to ARP or ND",
                "see whether it is there: `ip neigh`"},
    Explanation{"NEIGH_DEAD", "the neighbour's entry was deleted", "send it again"},
    Explanation{"NEIGH_CREATEFAIL", "no entry for the next hop could be made: the table is full",
                "raise net.ipv4.neigh.default.gc_thresh3"},
    Explanation{"QDISC_DROP",
                "the queueing discipline of {dev} dropped it: it is full, or drops on purpose",
                "see `tc -s qdisc show dev {dev}`"},
    Explanation{"TC_INGRESS", "a filter of tc at the ingress of {dev} dropped it",
                "see `tc filter show dev {dev} ingress`, `bpftool net`"},
    Explanation{"TC_EGRESS", "a filter of tc at the egress of {dev} dropped it",
                "see `tc filter show dev {dev} egress`, `bpftool net`"},
    Explanation{"XDP", "a generic XDP program at {dev} dropped it", "see `ip link show dev {dev}`"},
    Explanation{"BPF_CGROUP_EGRESS", "a BPF program of the process's cgroup dropped it",
                "see `bpftool cgroup tree`"},
    Explanation{"CPU_BACKLOG", "the CPU's backlog was full",
                "raise net.core.netdev_max_backlog; see /proc/net/softnet_stat"},
    Explanation{"FULL_RING", "the ring of {dev} was full", "see `ethtool -g {dev}`"},
    Explanation{"DEV_READY", "{dev} is not up", "bring it up: `ip link set {dev} up`"},
    Explanation{"PKT_TOO_BIG", "it is longer than the MTU of {dev}, and must not be fragmented",
                "lower the sender's MTU, or raise that of {dev}"},
    Explanation{"PKT_TOO_BIG",
                "with its {octets} octets it is longer than the MTU of the way on to {daddr}, and "
                "must not be fragmented",
                "see that the ICMP error reaches the sender, or mend the MTU of the interface "
                "that `ip route get {daddr}` shows",
                "ip_forward"},
    Explanation{"PKT_TOO_BIG",
                "with its {octets} octets it is longer than the MTU of the way on to {daddr}",
                "see that the ICMPv6 error reaches the sender, or mend the MTU of the interface "
                "that `ip route get {daddr}` shows",
                "ip6_forward"},
    Explanation{"UNHANDLED_PROTO", "nothing here knows its protocol", "see what the sender sends"},
    Explanation{"TCP_FLAGS", "its TCP flags make no sense in the connection's state",
                "look at the conversation: `weir capture {dev}`"},
    Explanation{"TCP_CLOSE", "the connection was closed", "open a new one"},
    Explanation{"TCP_OLD_SEQUENCE", "its data had arrived before", ""},
    Explanation{"IPV6DISABLED", "IPv6 is disabled on {dev}",
                "set net.ipv6.conf.{dev}.disable_ipv6 to 0"},
    // Where the kernel gives no reason.
    Explanation{"", "the route to {daddr} is unreachable, prohibit or blackhole: it ends here",
                "see `ip route show match {daddr}`", "ip_error"},
    Explanation{"", "it must not be forwarded: by policy (XFRM), or as its options want",
                "see `ip xfrm policy`", "ip_forward"},
    Explanation{"", "it must not be forwarded: by policy (XFRM)", "see `ip xfrm policy`",
                "ip6_forward"},
    Explanation{"", "there is no route to {daddr}, or one that ends here",
                "see `ip -6 route show match {daddr}`", "ip6_pkt_drop"},
    Explanation{"", "the route to {daddr} is blackhole: it ends here",
                "see `ip route get {daddr}`", "dst_discard_out"},
};

void substitute(std::string& text, std::string_view name, const std::string& value) {
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at)) {
        text.replace(at, name.size(), value);
        at += value.size();
    }
}

// The last that a sighting knew.
template <typename Get>
std::string last_of(const Packet& packet, Get get) {
    for (auto each = packet.sightings.rbegin(); each != packet.sightings.rend(); ++each) {
        if (std::string found = get(*each); !found.empty()) {
            return found;
        }
    }
    return "";
}

std::string note_of(const Packet& packet, std::string_view name) {
    return last_of(packet, [&](const Sighting& each) { return each.note(name); });
}

Tuple tuple_of(const Packet& packet) {
    for (auto each = packet.sightings.rbegin(); each != packet.sightings.rend(); ++each) {
        if (each->tuple.known) {
            return each->tuple;
        }
    }
    return {};
}

std::string filled(std::string_view pattern, const Packet& packet) {
    std::string text(pattern);
    const Tuple tuple = tuple_of(packet);
    const std::string whole = tuple.to_string();
    const std::size_t arrow = whole.find(" > ");
    const std::string target = arrow == std::string::npos
                                   ? whole
                                   : whole.substr(0, whole.find(' ')) + whole.substr(arrow + 2);
    substitute(text, "{saddr}", tuple.saddr.to_string());
    substitute(text, "{daddr}", tuple.daddr.to_string());
    substitute(text, "{target}", target);
    substitute(text, "{dev}", last_of(packet, [](const Sighting& each) { return each.device; }));
    substitute(text, "{octets}", fmt::format("{}", packet.sightings.back().length));
    substitute(text, "{hook}", note_of(packet, "hook"));
    substitute(text, "{family}", note_of(packet, "family"));
    return text;
}

// What says most of it: its reason in its function, its reason, its function.
const Explanation* find(std::string_view reason, std::string_view function) {
    for (const auto& [wanted, in] :
         {std::pair{reason, function}, {reason, ""}, {"", function}}) {
        for (const Explanation& each : kExplanations) {
            if (each.reason == wanted && each.function == in) {
                return &each;
            }
        }
    }
    return nullptr;
}

Verdict dropped(const Packet& packet) {
    const Sighting& end = packet.sightings.back();
    const std::string reason = end.note("reason"), function = end.note("function");
    Verdict verdict{.fate = Fate::kDropped, .cause = {}, .mend = {}, .sentence = {}};
    if (const Explanation* known = find(reason, function)) {
        verdict.cause = filled(known->cause, packet);
        verdict.mend = filled(known->mend, packet);
    } else {
        verdict.cause = reason == "NOT_SPECIFIED" || reason.empty()
                            ? "the kernel gives no reason"
                            : fmt::format("the kernel's reason is {}", reason);
        verdict.mend = fmt::format("`weir trace raw:kfree_skb --stack` shows who called {}",
                                   function.empty() ? "it" : function);
    }
    verdict.sentence =
        fmt::format("dropped in {}: {}", function.empty() ? "the kernel" : function, verdict.cause);
    return verdict;
}

// A program at its end, if that is the last that the packet met, or what dropped its buffer
// did so for it.
const Sighting* last_program(const Packet& packet) {
    const auto& seen = packet.sightings;
    const bool dropped = seen.back().stage == Stage::kDropped && seen.size() > 1;
    const Sighting& last = dropped ? seen[seen.size() - 2] : seen.back();
    const std::string action = last.stage == Stage::kXdp ? last.note("action") : "";
    const bool decided = action == "drop" || action == "aborted" || !last.cause.empty() ||
                         (!dropped && last.sends_frame());
    return decided ? &last : nullptr;
}

Verdict by_program(const Sighting& end) {
    const std::string action = end.note("action");
    Verdict verdict{.fate = Fate::kDropped, .cause = {}, .mend = {}, .sentence = {}};
    if (end.sends_frame()) {
        verdict.fate = Fate::kSent;
        verdict.cause = end.cause.empty() ? fmt::format("the XDP program of {} handed it on ({})",
                                                        end.device, action)
                                          : "by " + end.cause;
        verdict.sentence =
            fmt::format("sent in {}: {}, as {}", end.at, verdict.cause, end.tuple.to_string());
        return verdict;
    }
    if (!end.cause.empty()) {
        verdict.cause = end.cause;
        verdict.mend = end.mend;
        verdict.sentence = fmt::format("dropped in {}: by {}", end.at, verdict.cause);
        return verdict;
    }
    verdict.cause = action == "drop"
                        ? fmt::format("the XDP program of {} dropped it", end.device)
                        : fmt::format("the XDP program of {} failed (XDP_ABORTED)", end.device);
    verdict.mend = action == "drop"
                       ? fmt::format("see `ip link show dev {}` and who loaded it: `bpftool prog "
                                     "show name {}`",
                                     end.device, end.at)
                       : "`weir top @xdperr` shows with which error";
    verdict.sentence = fmt::format("dropped in {}: {}", end.at, verdict.cause);
    return verdict;
}

Verdict waiting(const Packet& packet, std::string_view cause, std::string_view mend) {
    Verdict verdict{.fate = Fate::kWaiting,
                    .cause = filled(cause, packet),
                    .mend = filled(mend, packet),
                    .sentence = {}};
    verdict.sentence = "waiting: " + verdict.cause;
    return verdict;
}

// The last stage that says something of where it went.
const Sighting* last_at(const Packet& packet, std::initializer_list<Stage> stages) {
    for (auto each = packet.sightings.rbegin(); each != packet.sightings.rend(); ++each) {
        if (std::find(stages.begin(), stages.end(), each->stage) != stages.end()) {
            return &*each;
        }
    }
    return nullptr;
}

} // namespace

const char* name(Fate fate) {
    constexpr std::array kNames = {"dropped", "delivered", "sent", "waiting", "lost"};
    return kNames.at(static_cast<std::size_t>(fate));
}

Verdict judge(const Packet& packet) {
    Verdict verdict{.fate = Fate::kLost, .cause = {}, .mend = {}, .sentence = {}};
    const Sighting& last = packet.sightings.back();
    const Sighting* where = last_at(packet, {Stage::kReceive, Stage::kTransport, Stage::kSocket,
                                             Stage::kProcess, Stage::kDriver});
    if (const Sighting* program = last_program(packet)) {
        verdict = by_program(*program);
    } else if (last.stage == Stage::kDropped) {
        verdict = dropped(packet);
    } else if (last.awaits_next_hop()) {
        verdict = waiting(packet, "the next hop towards {daddr} has not answered to ARP or ND yet",
                          "see whether it is there: `ip neigh`, `ip route get {daddr}`");
    } else if (last.stage == Stage::kQueue) {
        verdict = waiting(packet, "it is in the queueing discipline of {dev}",
                          "see `tc -s qdisc show dev {dev}`, `weir top @qdisc`");
    } else if (where == nullptr || where->stage == Stage::kReceive) {
        verdict.cause = fmt::format("it was last seen in {}", last.at);
        verdict.mend = "`weir drops` shows what is dropped without a packet's address";
        verdict.sentence = "lost from sight: " + verdict.cause;
    } else if (where->stage == Stage::kDriver) {
        verdict.fate = Fate::kSent;
        verdict.cause = fmt::format("it left through {}", where->device);
        verdict.sentence = fmt::format("sent: {} as {}", verdict.cause, where->tuple.to_string());
    } else {
        // What a socket holds is freed by the process that reads it, but by TCP.
        const bool freed = where->stage == Stage::kSocket && packet.ended && last.pid != 0 &&
                           tuple_of(packet).protocol != IPPROTO_TCP;
        const Sighting& reader = freed ? last : *where;
        verdict.fate = Fate::kDelivered;
        verdict.cause = freed || where->stage == Stage::kProcess
                            ? fmt::format("{} ({}) has read it", reader.comm, reader.pid)
                            : fmt::format("{} has taken it", where->at);
        verdict.sentence = "delivered: " + verdict.cause;
    }
    if (!verdict.mend.empty()) {
        verdict.sentence += "; " + verdict.mend;
    }
    return verdict;
}

} // namespace weir::flow
