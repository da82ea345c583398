#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <unistd.h>

#include "bench/net/generators.h"
#include "bench/net/net_run.h"
#include "verbs/all.h"
#include "verbs/bench_net_weir.h"
#include "verbs/words.h"

namespace weir::verbs {
namespace {

using bench::NetMode;
using bench::Peer;

// --- what is asked for --------------------------------------------------------------------------

Words items(const std::string& list) {
    Words words;
    for (std::size_t at = 0; at <= list.size();) {
        const std::size_t comma = std::min(list.find(',', at), list.size());
        words.push_back(list.substr(at, comma - at));
        at = comma + 1;
    }
    return words;
}

Result<> parse_jobs(const po::variables_map& options, bench::NetOptions& wanted) {
    const auto all = bench::net_jobs();
    if (options.count("job") == 0) {
        wanted.jobs = all;
        return {};
    }
    std::vector<std::string_view> names;
    for (const bench::NetJob& job : all) {
        names.push_back(job.name);
    }
    for (const std::string& word : items(option_text(options, "job"))) {
        WEIR_TRY(const auto at, parse_choice(word, "job", names));
        wanted.jobs.push_back(all[at]);
    }
    return {};
}

Result<> parse_numbers(const po::variables_map& options, bench::NetOptions& wanted) {
    if (options.count("size") > 0) {
        wanted.sizes.clear();
        for (const std::string& word : items(option_text(options, "size"))) {
            WEIR_TRY(const auto size,
                     parse_number(word, "--size", bench::kSmallestFrame, bench::kLargestFrame));
            wanted.sizes.push_back(static_cast<std::uint32_t>(size));
        }
    }
    if (options.count("cpus") > 0) {
        WEIR_TRY(const auto allowed, bench::allowed_cpus());
        wanted.cpus.clear();
        for (const std::string& word : items(option_text(options, "cpus"))) {
            WEIR_TRY(const auto cpus, parse_number(word, "--cpus", 1, allowed.size()));
            wanted.cpus.push_back(static_cast<std::uint32_t>(cpus));
        }
        std::sort(wanted.cpus.begin(), wanted.cpus.end());
    }
    const auto number = [&](const char* name, std::uint64_t least, std::uint64_t most,
                            std::uint32_t& into) -> Result<> {
        if (options.count(name) > 0) {
            WEIR_TRY(const auto value, parse_number(option_text(options, name),
                                                    fmt::format("--{}", name), least, most));
            into = static_cast<std::uint32_t>(value);
        }
        return {};
    };
    WEIR_CHECK(number("flows", 1, 1'000'000, wanted.flows));
    WEIR_CHECK(number("rounds", 3, 1000, wanted.rounds));
    return number("packets", 1000, 100'000'000, wanted.packets);
}

Result<bench::NetOptions> parse_options(const po::variables_map& options) {
    bench::NetOptions wanted;
    WEIR_CHECK(parse_jobs(options, wanted));
    WEIR_CHECK(parse_numbers(options, wanted));
    if (options.count("mode") > 0) {
        WEIR_TRY(const auto at,
                 parse_choice(option_text(options, "mode"), "mode", {"native", "generic", "both"}));
        if (at < 2) {
            wanted.modes = {at == 0 ? NetMode::kNative : NetMode::kGeneric};
        }
    }
    return wanted;
}

// The floor and Weir in every mode that is asked for, then what a user would pick instead.
std::vector<Peer> peers_of(Context& cx, const bench::NetJob& job,
                           const bench::NetOptions& options) {
    std::vector<Peer> peers;
    for (const NetMode mode : options.modes) {
        peers.push_back(bench::floor_peer(mode));
    }
    for (const NetMode mode : options.modes) {
        for (Peer& peer : weir_peers(cx, job.forward, mode, options.flows)) {
            peers.push_back(std::move(peer));
        }
    }
    for (Peer& peer : job.forward ? bench::forward_peers() : bench::filter_peers()) {
        peers.push_back(std::move(peer));
    }
    return peers;
}

Result<Words> parse_peers(Context& cx, const po::variables_map& options,
                          const bench::NetOptions& wanted) {
    if (options.count("peers") == 0) {
        return Words{};
    }
    Words known;
    for (const bench::NetJob& job : wanted.jobs) {
        for (const Peer& peer : peers_of(cx, job, wanted)) {
            if (std::find(known.begin(), known.end(), peer.name) == known.end()) {
                known.push_back(peer.name);
            }
        }
    }
    Words chosen = items(option_text(options, "peers"));
    for (const std::string& word : chosen) {
        WEIR_CHECK(parse_choice(word, "peer", {known.begin(), known.end()}));
    }
    return chosen;
}

// --- what is shown ------------------------------------------------------------------------------

void show_progress(const std::string& line) {
    if (isatty(STDERR_FILENO) != 0) {
        fmt::print(stderr, "\r\x1b[K{}", line);
        std::fflush(stderr);
    }
}

std::string range(const bench::Figure& figure, int digits) {
    return fmt::format("{:.{}f}-{:.{}f}", figure.lower, digits, figure.upper, digits);
}

output::Table table_of(const std::vector<bench::NetCase>& cases) {
    constexpr auto kRight = output::Align::kRight;
    output::Table table({{"job"},
                         {"peer"},
                         {"mode"},
                         {"octets", kRight},
                         {"CPUs", kRight},
                         {"packets/s", kRight},
                         {"ns/packet", kRight},
                         {"quartiles", kRight},
                         {"to floor", kRight},
                         {"quartiles", kRight},
                         {"efficiency", kRight},
                         {""}});
    for (const bench::NetCase& each : cases) {
        std::vector<std::string> row = {each.job, each.peer, bench::name(each.mode),
                                        std::to_string(each.size), std::to_string(each.cpus)};
        if (each.measured) {
            const auto& measured = *each.measured;
            row.push_back(fmt::format("{:.0f}", measured.packets_per_second.median));
            row.push_back(fmt::format("{:.0f}", measured.cpu_ns.median));
            row.push_back(range(measured.cpu_ns, 0));
            row.push_back(measured.ratio ? fmt::format("{:.2f}", measured.ratio->median) : "-");
            row.push_back(measured.ratio ? range(*measured.ratio, 2) : "-");
            row.push_back(measured.efficiency ? fmt::format("{:.2f}", measured.efficiency->median)
                                              : "-");
        } else {
            row.insert(row.end(), {"-", "-", "-", "-", "-", "-", each.refused});
        }
        table.row(std::move(row));
    }
    return table;
}

Result<> show(Context& cx, const bench::NetResult& result, const std::string& out) {
    cx.out.text(fmt::format("{}, kernel {}, {} x {}\n\n{}", result.origin.weir,
                            result.origin.kernel, result.origin.cpus, result.origin.processor,
                            table_of(result.cases).to_string()));
    output::Json document = bench::to_json(result);
    if (!out.empty()) {
        const auto path = std::filesystem::path(out) / "net.json";
        std::ofstream file(path);
        file << document.dump(2) << '\n' << std::flush;
        if (!file) {
            return fail_errno("writing " + path.string(), errno);
        }
    }
    cx.out.document(std::move(document));
    return {};
}

Result<> run(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    bench::NetResult result;
    WEIR_TRY(result.options, parse_options(options));
    WEIR_TRY(const Words chosen, parse_peers(cx, options, result.options));
    const std::string out = option_text(options, "out");
    if (!out.empty()) {
        std::error_code error;
        std::filesystem::create_directories(out, error);
        if (error) {
            return fail("making " + out + ": " + error.message());
        }
    }
    result.origin = bench::here_and_now();
    WEIR_CHECK(bench::enter_private_mounts());
    WEIR_TRY(const auto cpus, bench::allowed_cpus());
    WEIR_CHECK(bench::stay_on(cpus.back()));
    for (const bench::NetJob& job : result.options.jobs) {
        std::vector<Peer> peers = peers_of(cx, job, result.options);
        std::erase_if(peers, [&](const Peer& peer) {
            return !chosen.empty() &&
                   std::find(chosen.begin(), chosen.end(), peer.name) == chosen.end();
        });
        WEIR_TRY(const auto cases, bench::run_job(job, peers, result.options, show_progress));
        result.cases.insert(result.cases.end(), cases.begin(), cases.end());
    }
    show_progress("");
    return show(cx, result, out);
}

void add_options(po::options_description& add) {
    add.add_options()("job", po::value<std::string>()->value_name("LIST"),
                      "filter-1, filter-100, filter-set, forward [all]")(
        "peers", po::value<std::string>()->value_name("LIST"), "only these [all]")(
        "size", po::value<std::string>()->value_name("LIST"),
        "octets of a frame, 64 to 1500 [64,512,1500]")("flows",
                                                       po::value<std::string>()->value_name("N"),
                                                       "flows that take turns, to 1000000 [1024]")(
        "cpus", po::value<std::string>()->value_name("LIST"),
        "so many CPUs send at the same time, each through a queue of its own [1]")(
        "mode", po::value<std::string>()->value_name("native|generic|both"),
        "where XDP runs [both]")("rounds", po::value<std::string>()->value_name("N"),
                                 "measurements of each, at least 3 [5]")(
        "packets", po::value<std::string>()->value_name("N"), "of a measurement [1000000]")(
        "out", po::value<std::string>()->value_name("DIR"), "write net.json there");
}

} // namespace

const Verb bench_net{
    .path = "bench net",
    .operands = "",
    .summary = "packets a second, beside what a user would pick instead",
    .details =
        R"(Sends UDP frames from a generator through a device to a sink, in network namespaces of
its own, over veth. The device is Weir, an XDP program that does nothing else (empty-xdp, the
floor), nftables, iptables, xdp-filter, the kernel's forwarding, IPVS: each has namespaces of its
own, and they take turns round by round. All that becomes of a frame happens on one CPU: the figure is its time for one packet
from the generator to the sink, with the generator's part in it, and the ratio to the floor of the
same mode, or for what runs in the kernel's stack to the native one.

Frames are counted by the generator, by the device's interface, by the device's own books (Weir's
are its ledger), and by the sink. Counts that disagree void a figure, and stand in its place; so does
the reason why a peer is missing.

With --cpus 1,2 two generators on two CPUs also send at the same time, as a NIC with two queues
does: the efficiency is their packets a second, of twice those of one.

  weir bench net
  weir bench net --job filter-100 --size 64 --flows 10000 --mode native
  weir bench net --job forward --cpus 1,2 --mode native
  weir bench net --job forward --peers empty-xdp,weir-ipip,nft-dnat --rounds 15 --out results
)",
    .options = add_options,
    .run = run};

} // namespace weir::verbs
