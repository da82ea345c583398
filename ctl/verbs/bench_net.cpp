#include <algorithm>
#include <fmt/format.h>

#include "bench/cpus.h"
#include "bench/net/net_run.h"
#include "verbs/all.h"
#include "verbs/bench_files.h"
#include "verbs/bench_weir_device.h"
#include "verbs/bench_words.h"

namespace weir::verbs {
namespace {

using bench::NetMode;
using bench::Peer;

// --- what is asked for --------------------------------------------------------------------------

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
    WEIR_CHECK(parse_count(options, "flows", 1, 1'000'000, wanted.flows));
    WEIR_CHECK(parse_count(options, "rounds", 3, 1000, wanted.rounds));
    return parse_count(options, "packets", 1000, 100'000'000, wanted.packets);
}

Result<bench::NetOptions> parse_net_options(const po::variables_map& options) {
    bench::NetOptions wanted;
    WEIR_CHECK(parse_jobs(options, wanted));
    WEIR_CHECK(parse_numbers(options, wanted));
    WEIR_CHECK(parse_modes(options, wanted.modes));
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
        for (Peer& peer : weir_peers(cx, job.forward, mode)) {
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
    Words known;
    for (const bench::NetJob& job : wanted.jobs) {
        for (const std::string& name : names_of(peers_of(cx, job, wanted))) {
            known.push_back(name);
        }
    }
    return parse_peer_names(options, known);
}

// --- what is shown ------------------------------------------------------------------------------

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
            row.push_back(quartiles(measured.cpu_ns, 0));
            row.push_back(measured.ratio ? fmt::format("{:.2f}", measured.ratio->median) : "-");
            row.push_back(measured.ratio ? quartiles(*measured.ratio, 2) : "-");
            row.push_back(measured.efficiency ? fmt::format("{:.2f}", measured.efficiency->median)
                                              : "-");
        } else {
            row.insert(row.end(), {"-", "-", "-", "-", "-", "-", each.refused});
        }
        table.row(std::move(row));
    }
    return table;
}

Result<> show_net(Context& cx, const bench::NetResult& result, const std::string& out) {
    output::Json document = bench::to_json(result);
    cx.out.text(fmt::format("{}\n\n{}{}", headline(result.origin),
                            table_of(result.cases).to_string(), drift_line(document)));
    if (!out.empty()) {
        WEIR_CHECK(write_result(out, document));
    }
    cx.out.document(document);
    return {};
}

Result<> run_bench_net(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    bench::NetResult result;
    WEIR_TRY(result.options, parse_net_options(options));
    WEIR_TRY(const Words chosen, parse_peers(cx, options, result.options));
    WEIR_TRY(const std::string out, out_folder(options));
    result.origin = bench::here_and_now();
    WEIR_CHECK(bench::enter_private_mounts());
    std::vector<bench::NetContest> contests;
    for (const bench::NetJob& job : result.options.jobs) {
        contests.push_back({job, chosen_of(peers_of(cx, job, result.options), chosen)});
    }
    WEIR_TRY(result.cases, bench::run_contests(contests, result.options, show_progress));
    show_progress("");
    return show_net(cx, result, out);
}

void add_bench_net_options(po::options_description& add) {
    add.add_options()("job", po::value<std::string>()->value_name("LIST"),
                      "filter-1, filter-100, filter-set, forward [all]")(
        "peers", po::value<std::string>()->value_name("LIST"),
        "only these [all]")("size", po::value<std::string>()->value_name("LIST"),
                            "octets of a frame, 64 to 1500 [64,512,1500]")(
        "flows", po::value<std::string>()->value_name("N"),
        "flows that take turns, to 1000000 [1024]")("cpus",
                                                    po::value<std::string>()->value_name("LIST"),
                                                    "so many CPUs send at the same time [1]")(
        "mode", po::value<std::string>()->value_name("native|generic|both"),
        "where XDP runs [both]")("rounds", po::value<std::string>()->value_name("N"),
                                 "measurements of each, at least 3 [5]")(
        "packets", po::value<std::string>()->value_name("N"),
        "of a measurement [1000000]")("out", po::value<std::string>()->value_name("DIR"),
                                      "also write there net.json, net.md and plots");
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
the reason why a peer is missing. A round in which frames were only lost on their way is taken again, up
to four times.

With --cpus 1,2 two generators on two CPUs also send frames of the smallest size at the same time,
each through a queue of its own, as a NIC spreads them: the efficiency is their packets a second
as a share of the sum of what each sends alone.

  weir bench net
  weir bench net --job filter-100 --size 64 --flows 10000 --mode native
  weir bench net --job forward --cpus 1,2 --mode native
  weir bench net --job forward --peers empty-xdp,weir-ipip,nft-dnat --rounds 15 --out results
)",
    .options = add_bench_net_options,
    .run = run_bench_net};

} // namespace weir::verbs
