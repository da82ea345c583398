#include <algorithm>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "output/units.h"
#include "text/frame_text.h"
#include "verbs/all.h"
#include "verbs/capture_file.h"
#include "verbs/capture_packet.h"
#include "verbs/capture_target.h"
#include "verbs/hooks.h"
#include "verbs/packet_filter.h"
#include "verbs/rule_words.h"
#include "verbs/state.h"
#include "verbs/tracing.h"

namespace weir::verbs {
namespace {

Result<std::uint32_t> parse_points(const po::variables_map& options) {
    std::uint32_t points = 0;
    if (options.count("entry") > 0) {
        points |= CAPTURE_ENTRY;
    }
    if (options.count("exit") > 0) {
        points |= CAPTURE_EXIT;
    }
    return points == 0 ? CAPTURE_ENTRY | CAPTURE_EXIT : points;
}

// A bit for each: of enum verdict, or of XDP_* at other people's programs.
Result<std::uint32_t> parse_verdicts(const po::variables_map& options, bool own) {
    if (options.count("verdict") == 0) {
        return ~0U;
    }
    std::vector<std::string_view> known;
    for (int v = 0; own && v < VERDICT_COUNT; v++) {
        known.push_back(model::name(static_cast<verdict>(v)));
    }
    std::uint32_t bits = 0;
    for (const std::string& word : options["verdict"].as<Words>()) {
        WEIR_TRY(const auto index,
                 parse_choice(word, "--verdict", own ? known : xdp_action_names()));
        bits |= 1U << index;
    }
    return bits;
}

Result<std::optional<model::Rule>> parse_rule(const po::variables_map& options,
                                              const CaptureTarget& target) {
    if (options.count("rule") == 0) {
        return std::nullopt;
    }
    if (!target.node) {
        return usage(fmt::format("--rule: {} is not Weir's: it has no rules", target.name));
    }
    constexpr std::uint64_t kMost = 0xffffffff;
    WEIR_TRY(const auto handle, parse_number(option_text(options, "rule"), "--rule", 1, kMost));
    WEIR_TRY(const auto config, live_config(*target.node));
    WEIR_TRY(const auto found, find_rule(config, std::nullopt, static_cast<model::Handle>(handle)));
    return config.chain(found.chain).rules[found.index];
}

Result<kernel::CaptureWish> parse_capture_wish(const po::variables_map& options,
                                               const CaptureTarget& target,
                                               const std::optional<model::Rule>& rule) {
    kernel::CaptureWish wish{.ifindex = target.ifindex, .hooks = target.hooks};
    if (rule) {
        wish.rule = rule->slot;
    }
    WEIR_TRY(wish.points, parse_points(options));
    WEIR_TRY(wish.verdicts, parse_verdicts(options, target.node.has_value()));
    WEIR_TRY(wish.ring_octets, parse_ring(options, CAPTURE_RING));
    if (options.count("snap") > 0) {
        WEIR_TRY(const auto snap,
                 parse_number(option_text(options, "snap"), "--snap", 1, CAPTURE_SNAP));
        wish.snap = static_cast<std::uint32_t>(snap);
    }
    return wish;
}

// A line for each packet, where no file is written.
std::string line_of(const CaptureWords& words, const WallTime& clock,
                    const kernel::CapturedPacket& packet) {
    constexpr std::uint64_t kSecond = 1'000'000'000, kMicro = 1000;
    const capture_record& record = packet.record;
    const std::uint64_t time = clock.of(record.entered);
    const bool entry = !packet.entry.empty();
    const auto text = [&](bool exit) {
        return text::frame_text(exit ? with_tag(packet.exit, record.exit_vlan)
                                     : with_tag(packet.entry, record.entry_vlan));
    };
    std::string line =
        fmt::format("{:%H:%M:%S}.{:06d}  {:<10}  {:<10}  {:<8}  {:<14}  {}, {} octets",
                    fmt::localtime(static_cast<std::time_t>(time / kSecond)),
                    time % kSecond / kMicro, words.device(record.ifindex),
                    hook_name(static_cast<hook>(record.hook)), words.verdict(record),
                    words.why(record), text(!entry), entry ? record.entry_len : record.exit_len);
    if (entry && !packet.exit.empty() && !std::ranges::equal(packet.entry, packet.exit)) {
        line += fmt::format(" -> {}, {} octets", text(true), record.exit_len);
    }
    if (const std::string backend = words.backend(record); !backend.empty()) {
        line += "; to " + backend;
    }
    return line + "\n";
}

struct Limits {
    std::uint64_t packets = 0; // 0: without end
    double seconds = 0;
};

Result<Limits> parse_limits_of(const po::variables_map& options) {
    Limits limits;
    if (options.count("count") > 0) {
        constexpr std::uint64_t kMost = 1'000'000'000;
        WEIR_TRY(limits.packets, parse_number(option_text(options, "count"), "-c", 1, kMost));
    }
    WEIR_TRY(limits.seconds, parse_seconds(options, "seconds"));
    return limits;
}

// One run of the command, from the switch on to the switch off.
class Run {
public:
    Run(Context& cx, CaptureTarget target, CaptureWords& words, PacketFilter filter,
        std::optional<model::Handle> rule)
        : cx_(cx), target_(std::move(target)), words_(words), filter_(std::move(filter)),
          rule_(rule) {}

    // `path` "": no file.
    Result<> capture(const kernel::CaptureWish& wish, const Limits& limits, const std::string& path,
                     const std::string& expression) {
        limits_ = limits;
        TraceEnd end;
        WEIR_TRY(auto capture, target_.node ? kernel::Capture::open(*target_.node, wish)
                                            : kernel::Capture::open(*target_.program, wish));
        // Now, so that a capture that is refused leaves an older file as it is.
        if (!path.empty()) {
            WEIR_TRY(auto file, CaptureFile::create(path, words_, expression, wish.snap));
            file_.emplace(std::move(file));
        }
        output::note(fmt::format("capture attached to {}{}", target_.name,
                                 target_.node ? "" : " by fentry and fexit"));
        end.begin(limits.seconds);
        const auto each = [this](const kernel::CapturedPacket& packet) { take(packet); };
        while (!end.reached() && !enough() && !refused_) {
            constexpr int kLook = 200;
            WEIR_CHECK(capture.poll(end.wait_ms(kLook), each));
            WEIR_CHECK(follow_rule(capture));
            WEIR_TRY(const bool read, flush());
            if (!read) {
                return {}; // nobody reads it any more
            }
        }
        WEIR_CHECK(capture.stop());
        for (std::size_t given = 1; given > 0;) {
            WEIR_TRY(given, capture.poll(0, each));
        }
        if (file_ && file_->reader_gone()) {
            return {};
        }
        if (refused_) {
            return fail(*std::move(refused_));
        }
        WEIR_TRY(const auto books, capture.books());
        return close(books);
    }

private:
    bool enough() const { return limits_.packets != 0 && shown_ >= limits_.packets; }

    // A rule that is replaced keeps its handle, not its slot.
    Result<> follow_rule(kernel::Capture& capture) {
        if (!rule_) {
            return {};
        }
        WEIR_CHECK(words_.keep_up(*target_.node));
        if (const auto slot = words_.slot_of(*rule_)) {
            capture.watch(*slot);
        }
        return {};
    }

    void take(const kernel::CapturedPacket& packet) {
        const capture_record& record = packet.record;
        const bool takes =
            (!packet.entry.empty() && filter_.takes(packet.entry, record.entry_len)) ||
            (!packet.exit.empty() && filter_.takes(packet.exit, record.exit_len));
        if (!takes || enough() || refused_) {
            return;
        }
        if (target_.node) {
            words_.look(*target_.node, record);
        }
        if (rule_ && words_.handle(record).value_or(*rule_) != *rule_) {
            return; // its slot is another rule's now
        }
        shown_++;
        if (file_) {
            if (auto written = file_->packet(packet); !written) {
                refused_ = std::move(written).error();
            }
        } else if (cx_.out.json()) {
            cx_.out.line(words_.json(packet));
        } else {
            cx_.out.text(line_of(words_, clock_, packet));
        }
    }

    // False: the reader has gone.
    Result<bool> flush() {
        if (!file_) {
            return cx_.out.flush() == 0;
        }
        auto flushed = file_->flush();
        if (file_->reader_gone()) {
            return false;
        }
        return flushed ? Result<bool>(true) : fail(std::move(flushed).error());
    }

    Result<> close(const kernel::CaptureBooks& books) {
        if (books.lapses > 0) {
            output::warn(fmt::format("this command could not run for {} seconds, {} times: packets "
                                     "of that time were neither captured nor counted",
                                     kernel::Capture::kDeadline.count(), books.lapses));
        }
        const std::string text =
            fmt::format("{} captured, {} taken from the ring, {} lost",
                        output::counted(shown_, "packet"), books.taken, books.lost);
        if (file_) {
            WEIR_CHECK(file_->finish(books.lost));
            output::note(text);
            return {};
        }
        cx_.out.text(text + "\n");
        cx_.out.line({{"closing",
                       {{"captured", shown_},
                        {"taken", books.taken},
                        {"lost", books.lost},
                        {"lapses", books.lapses}}}});
        return {};
    }

    Context& cx_;
    CaptureTarget target_;
    CaptureWords& words_;
    PacketFilter filter_;
    std::optional<model::Handle> rule_;
    WallTime clock_ = {};
    Limits limits_ = {};
    std::optional<CaptureFile> file_ = {};
    std::uint64_t shown_ = 0;
    std::optional<Error> refused_ = {};
};

Result<> run_capture(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_TRY(const auto word, operand(words, 0, "DEV|PROG"));
    WEIR_TRY(const auto hooks, parse_hooks(options));
    WEIR_TRY(const auto limits, parse_limits_of(options));
    const std::string expression = join(Words(words.begin() + 1, words.end()), " ");
    WEIR_TRY(auto filter, PacketFilter::parse(expression));
    WEIR_TRY(auto target, find_capture_target(cx, word, hooks));
    WEIR_TRY(const auto rule, parse_rule(options, target));
    WEIR_TRY(const auto wish, parse_capture_wish(options, target, rule));

    CaptureWords meanings(cx);
    if (target.node) {
        WEIR_CHECK(meanings.follow(*target.node));
    } else {
        meanings.set_program(
            fmt::format("{} (id {})", target.program->full_name(), target.program->id));
    }
    return Run(cx, std::move(target), meanings, std::move(filter),
               rule ? std::optional(rule->handle) : std::nullopt)
        .capture(wish, limits, option_text(options, "write"), expression);
}

void add_capture_options(po::options_description& add) {
    auto option = add.add_options();
    option("entry", "packets as the program gets them [both]");
    option("exit", "packets as the program leaves them [both]");
    option("verdict", po::value<Words>()->value_name("VERDICT")->composing(),
           "only with this verdict: pass, send, redirect, drop; other people's programs: aborted, "
           "drop, pass, tx, redirect. May be given again");
    option("rule", po::value<std::string>()->value_name("HANDLE"),
           "only what the rule with this handle decided");
    option("write,w", po::value<std::string>()->value_name("FILE"),
           "a pcapng file; - is the standard output [a line for each packet]");
    option("snap,s", po::value<std::string>()->value_name("OCTETS"),
           "so much of each packet [12288]");
    option("count,c", po::value<std::string>()->value_name("N"), "end after so many packets");
    option("seconds,d", po::value<std::string>()->value_name("S"),
           "end after so long [when it is interrupted]");
    option("ring", po::value<std::string>()->value_name("SIZE"),
           "room for packets that wait to be written: 64K, 16M [8M]");
    add_hook_option(add, "of an interface, only these hooks of Weir's [all that are attached]");
}

} // namespace

const Verb capture{
    .path = "capture",
    .operands = "DEV|PROG [FILTER]",
    .summary = "packets as they enter and leave a program, with verdict, rule and reason",
    .details =
        R"(DEV is an interface: Weir's programs on it are captured by a switch inside them; where Weir
is not attached, the XDP program that is, by fentry and fexit. PROG is a program by its name or as id:N.
FILTER is an expression of pcap-filter(7); a packet is taken if it matches on entry or on exit.

Off, the switch is no look-up more for a packet; on, it changes nothing of what becomes of packets. It goes off
by itself when the command is killed. One capture at a time. In a pcapng file each packet's comment has
the verdict, and both its records have the same packet id.

  weir capture eth0 -w dropped.pcapng --verdict drop
  weir capture eth0 'udp port 53' -c 10
  weir capture eth0 -w - | tcpdump -nr -
  weir capture xdp_filter -d 5
)",
    .options = add_capture_options,
    .run = run_capture};

} // namespace weir::verbs
