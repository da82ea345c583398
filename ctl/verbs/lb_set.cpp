#include <algorithm>
#include <initializer_list>

#include "verbs/all.h"
#include "verbs/change.h"
#include "verbs/listing.h"
#include "verbs/words.h"

namespace weir::verbs {
namespace {

using model::Balancer;

// "none" takes the setting away.
Result<std::optional<Prefix>> parse_source(const std::string& word, Family family,
                                           const char* option) {
    if (word == "none") {
        return std::optional<Prefix>{};
    }
    bool masked = false;
    const auto prefix = Prefix::parse(word, &masked);
    if (!prefix) {
        return usage(std::string(option) + ": " + prefix.error().message());
    }
    if (prefix->address().family() != family) {
        return usage(std::string(option) + " '" + word + "': expected an address or prefix of " +
                     (family == Family::kIpv4 ? "IPv4" : "IPv6"));
    }
    if (masked) {
        output::warn(word + " has host bits set: taken as " + prefix->to_string());
    }
    return std::optional(*prefix);
}

Result<std::optional<MacAddr>> parse_gateway(const std::string& word) {
    if (word == "none") {
        return std::optional<MacAddr>{};
    }
    const auto mac = MacAddr::parse(word);
    if (!mac) {
        return usage("--gateway: " + mac.error().message());
    }
    return std::optional(*mac);
}

Result<Balancer> parse_settings(const po::variables_map& options) {
    Balancer balancer;
    if (options.count("seed") > 0) {
        const auto seed = Seed::parse(option_text(options, "seed"));
        if (!seed) {
            return usage("--" + seed.error().message());
        }
        balancer.seed = *seed;
    }
    if (options.count("idle") > 0) {
        WEIR_TRY(const auto idle,
                 parse_number(option_text(options, "idle"), "--idle", 1, model::kIdleMax));
        balancer.idle = static_cast<std::uint32_t>(idle);
    }
    if (options.count("source") > 0) {
        WEIR_TRY(balancer.source,
                 parse_source(option_text(options, "source"), Family::kIpv4, "--source"));
    }
    if (options.count("source6") > 0) {
        WEIR_TRY(balancer.source6,
                 parse_source(option_text(options, "source6"), Family::kIpv6, "--source6"));
    }
    if (options.count("gateway") > 0) {
        WEIR_TRY(balancer.gateway, parse_gateway(option_text(options, "gateway")));
    }
    return balancer;
}

Result<> show_lb_settings(Context& cx) {
    WEIR_TRY(const auto session, open_session(cx, kernel::Lock::Mode::kShared));
    WEIR_TRY(const auto config, live_config(session.node));
    const Balancer& now = config.balancer;
    output::Table table({{"setting"}, {"value"}});
    table.row({"source", now.source ? now.source->to_string() : "none"});
    table.row({"source6", now.source6 ? now.source6->to_string() : "none"});
    table.row({"gateway", now.gateway ? now.gateway->to_string() : "none"});
    table.row({"seed", now.seed ? now.seed->to_string() : "none"});
    table.row({"idle", std::to_string(now.idle)});
    cx.out.text(table.to_string());
    cx.out.document(balancer_json(now));
    return {};
}

Result<> run_lb_set(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    const auto given_any = [&](std::initializer_list<const char*> names) {
        return std::ranges::any_of(names, [&](const char* name) { return options.count(name) > 0; });
    };
    if (!given_any({"source", "source6", "gateway", "seed", "idle"})) {
        return show_lb_settings(cx);
    }
    // What the user typed is judged before anything is asked of the kernel.
    WEIR_TRY(const auto given, parse_settings(options));
    WEIR_TRY(const auto changed, change(cx, [&](model::Config& config) -> Result<> {
                 Balancer& now = config.balancer;
                 now.source = options.count("source") > 0 ? given.source : now.source;
                 now.source6 = options.count("source6") > 0 ? given.source6 : now.source6;
                 now.gateway = options.count("gateway") > 0 ? given.gateway : now.gateway;
                 now.seed = options.count("seed") > 0 ? given.seed : now.seed;
                 now.idle = options.count("idle") > 0 ? given.idle : now.idle;
                 return {};
             }));
    report(cx, changed, "settings changed");
    return {};
}

void add_lb_set_options(po::options_description& add) {
    add.add_options()("source", po::value<std::string>()->value_name("PREFIX|none"),
                      "outer IPv4 source of tunnels: an address, or a prefix whose host bits come "
                      "from the flow")(
        "source6", po::value<std::string>()->value_name("PREFIX|none"), "the same for IPv6")(
        "gateway", po::value<std::string>()->value_name("MAC|none"),
        "next hop of all tunnelled packets, which then leave where they came in; none: the "
        "routing table decides")(
        "seed", po::value<std::string>()->value_name("HEX"),
        "16 hexadecimal digits that rings and flows are hashed with, the same on every node; another "
        "seed moves every flow")(
        "idle", po::value<std::string>()->value_name("SECONDS"),
        "silence after which a tracked TCP flow is forgotten [900]");
}

} // namespace

const Verb lb_set{.path = "lb set",
                  .operands = "",
                  .summary = "set or show what all services share: tunnel source and next hop",
                  .details = R"(Without options, shows the settings.

  weir lb set --source 10.99.0.0/16 --source6 fd00:99::/64
  weir lb set --gateway 02:00:00:00:00:01
  weir lb set --gateway none
)",
                  .options = add_lb_set_options,
                  .run = run_lb_set};

} // namespace weir::verbs
