#include <fmt/format.h>

#include "kernel/test_run.h"
#include "text/packet_frame.h"
#include "verbs/all.h"
#include "verbs/lb_words.h"
#include "verbs/state.h"

namespace weir::verbs {
namespace {

using output::Json;

struct Client {
    IpAddr address;
    std::uint16_t port = 0;
};

// 198.51.100.1:40000, [2001:db8:c::1]:40000.
Result<Client> parse_client(const std::string& word, Family family) {
    const std::size_t colon = word.rfind(':');
    std::string address = word.substr(0, colon);
    if (address.size() > 2 && address.front() == '[' && address.back() == ']') {
        address = address.substr(1, address.size() - 2);
    }
    const auto parsed = IpAddr::parse(address);
    if (colon == std::string::npos || !parsed || parsed->family() != family) {
        return usage(fmt::format("client '{}': expected ADDRESS:PORT with an {} address", word,
                                 family == Family::kIpv4 ? "IPv4" : "IPv6"));
    }
    WEIR_TRY(const auto port, parse_number(word.substr(colon + 1), "client port", 0, 65535));
    return Client{*parsed, static_cast<std::uint16_t>(port)};
}

text::PacketFields packet_of(const Client& client, const model::ServiceKey& key,
                             std::uint8_t tcp_flags) {
    text::PacketFields packet;
    packet.family = key.vip.family();
    packet.saddr = client.address;
    packet.daddr = key.vip;
    packet.protocol = static_cast<std::uint8_t>(key.proto);
    packet.sport = client.port;
    packet.dport = key.port;
    packet.tcp_flags = tcp_flags;
    return packet;
}

// Where the program sends a packet; "": nowhere.
Result<std::string> backend_of(const kernel::Explainer& explainer, const model::Service& service,
                               const text::PacketFields& packet, bool& tracked) {
    WEIR_TRY(const auto run, explainer.run(text::build_frame(packet), 0));
    tracked = run.why.flow != 0;
    const auto* backend = service.backend_in(run.why.backend);
    return backend == nullptr ? "" : backend->address.to_string();
}

Result<> run_lb_which(const po::variables_map& options, const Words& words, Context& cx) {
    constexpr std::uint8_t kSyn = 0x02;
    constexpr std::uint8_t kAck = 0x10;
    WEIR_CHECK(at_most(words, 2));
    WEIR_TRY(auto key, parse_service(words));
    WEIR_TRY(const auto word, operand(words, 1, "CLIENT:PORT"));
    WEIR_TRY(const Client client, parse_client(word, key.vip.family()));
    WEIR_TRY(const auto session, open_session(cx, kernel::Lock::Mode::kShared));
    WEIR_TRY(auto config, live_config(session.node));
    WEIR_TRY(const auto* service, find_service(config, key));
    if (key.port == 0) {
        if (options.count("port") == 0) {
            return usage(fmt::format("{} takes any port: say which by --port", key.to_string()));
        }
        WEIR_TRY(const auto port, parse_number(option_text(options, "port"), "--port", 1, 65535));
        key.port = static_cast<std::uint16_t>(port);
    }
    WEIR_TRY(const auto explainer,
             kernel::Explainer::open(session.node, kernel::Program::kIngress));
    bool tracked = false, ignored = false;
    WEIR_TRY(const std::string now,
             backend_of(explainer, *service, packet_of(client, key, kAck), tracked));
    std::string fresh = now;
    if (key.proto == model::Transport::kTcp) {
        WEIR_TRY(fresh, backend_of(explainer, *service, packet_of(client, key, kSyn), ignored));
    }
    std::string text = now.empty() ? "no backend" : now;
    text += tracked ? ", by the flow table\n" : ", by the ring\n";
    if (fresh != now) {
        text += fmt::format("a new connection: {}\n", fresh.empty() ? "no backend" : fresh);
    }
    const auto or_null = [](const std::string& address) {
        return address.empty() ? Json() : Json(address);
    };
    cx.out.text(text);
    cx.out.document({{"service", key.to_string()},
                     {"client", client.address.to_string()},
                     {"sport", client.port},
                     {"backend", or_null(now)},
                     {"tracked", tracked},
                     {"new_connection", or_null(fresh)}});
    return {};
}

void add_lb_which_options(po::options_description& add) {
    add.add_options()("port", po::value<std::string>()->value_name("N"),
                      "destination port, where the service takes any");
}

} // namespace

const Verb lb_which{
    .path = "lb which",
    .operands = "SERVICE CLIENT:PORT",
    .summary = "which backend a flow goes to",
    .details = R"(Answered by the loaded program itself, with the rings and the flow table as they are,
for any client, whether or not it ever sent a packet. Where a connection that is open and a new one would go
to different backends, both are shown.

  weir lb which 203.0.113.10:80/tcp 198.51.100.1:40000
  weir lb which '[2001:db8::10]:443/tcp' '[2001:db8:c::1]:40000'
)",
    .options = add_lb_which_options,
    .run = run_lb_which};

} // namespace weir::verbs
