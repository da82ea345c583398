#include <fmt/format.h>

#include "kernel/netlink.h"
#include "text/packet_text.h"
#include "verbs/all.h"
#include "verbs/hex.h"
#include "verbs/hooks.h"
#include "verbs/pcap_file.h"
#include "verbs/state.h"
#include "verbs/story.h"

namespace weir::verbs {
namespace {

using Frame = std::vector<std::uint8_t>;

// Where the packet is said to come in or go out.
struct Entrance {
    kernel::Program program = kernel::Program::kIngress;
    std::string device; // "": no particular one
};

Result<Entrance> parse_where(const po::variables_map& options) {
    Entrance where;
    where.device = option_text(options, "dev");
    if (options.count("hook") > 0) {
        WEIR_TRY(const hook at, parse_hook(option_text(options, "hook")));
        where.program = at == HOOK_XDP          ? kernel::Program::kIngress
                        : at == HOOK_TC_INGRESS ? kernel::Program::kTcIngress
                                                : kernel::Program::kTcEgress;
    }
    return where;
}

// The loaded program, with what is needed to name what it answers.
struct Bench {
    Session session;
    model::Config config;
    Entrance where;
    std::uint32_t ifindex;
    kernel::Explainer explainer;
};

Result<Bench> open_bench(Context& cx, const Entrance& where) {
    WEIR_TRY(auto session, open_session(cx, kernel::Lock::Mode::kShared));
    WEIR_TRY(auto config, live_config(session.node));
    std::uint32_t ifindex = 0;
    if (!where.device.empty()) {
        WEIR_TRY(const auto interface, kernel::find_interface(where.device));
        ifindex = interface.index;
    }
    WEIR_TRY(auto explainer, kernel::Explainer::open(session.node, where.program));
    return Bench{std::move(session), std::move(config), where, ifindex, std::move(explainer)};
}

Result<Story> tell(const Bench& bench, const Frame& frame) {
    // The kernel runs nothing shorter than an Ethernet header.
    constexpr std::size_t kShortest = 14;
    if (frame.size() < kShortest) {
        return fail(fmt::format("the frame has {} octets: an Ethernet frame has at least {}",
                                frame.size(), kShortest));
    }
    WEIR_TRY(auto run, bench.explainer.run(frame, bench.ifindex));
    return tell_story(bench.config, bench.where.program, frame, run);
}

Result<> explain_one(Context& cx, const Entrance& where, const Frame& frame) {
    WEIR_TRY(const auto bench, open_bench(cx, where));
    WEIR_TRY(const auto story, tell(bench, frame));
    cx.out.text(story.text);
    cx.out.document({{"packets", output::Json::array({story.json})}});
    return {};
}

Result<> explain_capture(Context& cx, const Entrance& where, const std::string& path) {
    WEIR_TRY(const auto bench, open_bench(cx, where));
    std::size_t number = 0;
    output::Json list = output::Json::array();
    WEIR_CHECK(read_capture(path, [&](const CapturedFrame& frame) -> Result<> {
        number++;
        if (frame.length > frame.octets.size()) {
            output::warn(fmt::format("{}: packet {}: only {} of {} octets were captured", path,
                                     number, frame.octets.size(), frame.length));
        }
        auto story = tell(bench, frame.octets);
        if (!story) {
            return fail(std::move(story).error().while_(fmt::format("packet {}", number)));
        }
        cx.out.text(fmt::format("{}packet {}\n{}", number == 1 ? "" : "\n", number, story->text));
        list.push_back(std::move(story->json));
        return {};
    }));
    cx.out.document({{"packets", list}});
    return {};
}

Result<Frame> hex_frame(const std::string& first, const Words& rest) {
    std::string text = first;
    if (first == "-") {
        WEIR_CHECK(at_most(rest, 0));
        WEIR_TRY(text, read_file("-"));
    }
    return parse_hex(rest.empty() ? text : text + " " + join(rest, " "));
}

Result<> run_explain(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_TRY(const auto where, parse_where(options));
    if (options.count("hex") + options.count("pcap") > 1) {
        return usage("--hex and --pcap: one of them");
    }
    if (options.count("hex") > 0) {
        WEIR_TRY(const auto frame, hex_frame(option_text(options, "hex"), words));
        return explain_one(cx, where, frame);
    }
    if (options.count("pcap") > 0) {
        WEIR_CHECK(at_most(words, 0));
        return explain_capture(cx, where, option_text(options, "pcap"));
    }
    WEIR_CHECK(operand(words, 0, "the packet (words, --hex or --pcap)"));
    const std::string description = join(words, " ");
    // What comes in is for the interface's address, unless said otherwise.
    text::PacketFields unsaid;
    if (!where.device.empty() && where.program != kernel::Program::kTcEgress) {
        WEIR_TRY(const auto interface, kernel::find_interface(where.device));
        unsaid.ether_daddr = interface.mac;
    }
    const auto fields = text::parse_packet(description, unsaid);
    if (!fields) {
        return fail(text::to_error(fields.error(), ""));
    }
    return explain_one(cx, where, text::build_frame(*fields));
}

void add_explain_options(po::options_description& add) {
    add.add_options()("hex", po::value<std::string>()->value_name("BYTES"),
                      "the frame as hexadecimal digits; - reads them from the standard input")(
        "pcap", po::value<std::string>()->value_name("FILE"),
        "every frame of a pcap or pcapng file")("dev", po::value<std::string>()->value_name("DEV"),
                                                "the interface that it comes in or goes out by")(
        "hook", po::value<std::string>()->value_name("xdp|tc-ingress|tc-egress"),
        "the program that is run [xdp]");
}

} // namespace

const Verb explain{
    .path = "explain",
    .operands = "[PACKET]",
    .summary = "run the loaded program on a packet and say what becomes of it, and why",
    .details =
        R"(No counter and no flow is touched. PACKET is described by the words of rules with one
value each; what is not said gets a likely value (TCP, SYN, 198.51.100.1 to 192.0.2.1). Besides the
words of rules: `ip ttl N`, `ip6 hoplimit N`, `payload length N`.

  weir explain 'ip saddr 10.0.0.1 ip daddr 203.0.113.10 tcp dport 80'
  weir explain --dev eth0 --pcap capture.pcapng
  weir explain --hook tc-egress --hex 'ffff ffff ffff 0200 0000 0001 0806 ...'
)",
    .options = add_explain_options,
    .run = run_explain};

} // namespace weir::verbs
