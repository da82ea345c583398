#include <cstring>
#include <fmt/format.h>
#include <unistd.h>

#include "kernel/netlink.h"
#include "output/units.h"
#include "verbs/all.h"
#include "verbs/drops_ledger.h"
#include "verbs/drops_table.h"
#include "verbs/trace_lines.h"

namespace weir::verbs {
namespace {

using output::Align;
using output::Json;

constexpr std::uint64_t kMostRows = 1'000'000'000;

void show_drops(Context& cx, const DropWish& wish, std::uint64_t most, double seconds,
                const std::vector<DropRow>& rows) {
    std::vector<output::Column> columns = {
        {"PACKETS", Align::kRight}, {"REASON"}, {"FUNCTION"}, {"DEVICE"}};
    for (const trace::NamedExpression& each : wish.by) {
        columns.push_back({each.name});
    }
    Json list = Json::array();
    std::string text;
    std::uint64_t all = 0, hidden = 0;
    // Stacks stand below their rows: the rows of all are aligned first.
    output::Table table(std::move(columns));
    std::vector<const DropRow*> shown;
    for (const DropRow& row : rows) {
        all += row.packets;
        Json json{{"packets", row.packets},
                  {"reason", row.reason},
                  {"function", row.function},
                  {"device", row.device}};
        for (std::size_t i = 0; i < row.more.size(); i++) {
            json[wish.by[i].name] = row.more_json[i];
        }
        if (!row.stack.empty()) {
            json["stack"] = row.stack;
        }
        list.push_back(std::move(json));
        if (most != 0 && shown.size() == most) {
            hidden++;
            continue;
        }
        shown.push_back(&row);
        std::vector<std::string> cells = {std::to_string(row.packets), output::one_line(row.reason),
                                          row.function, row.device};
        cells.insert(cells.end(), row.more.begin(), row.more.end());
        table.row(std::move(cells));
    }
    std::size_t line = 0;
    const std::string lines = table.to_string();
    for (std::size_t from = 0; from < lines.size(); line++) {
        const std::size_t end = lines.find('\n', from) + 1;
        text += lines.substr(from, end - from);
        from = end;
        if (line > 0 && line <= shown.size()) {
            for (const std::string& each : shown[line - 1]->stack) {
                text += "             " + each + "\n";
            }
        }
    }
    const bool redraw = isatty(STDOUT_FILENO) == 1;
    cx.out.text(fmt::format("{}{:.1f} s, {} dropped\n{}{}\n", redraw ? "\033[H\033[J" : "", seconds,
                            output::counted(all, "packet"), rows.empty() ? "" : text,
                            hidden > 0 ? fmt::format("… and {} more\n", hidden) : ""));
    cx.out.line({{"seconds", seconds}, {"packets", all}, {"drops", std::move(list)}});
}

// A line for each packet, as of `weir trace`.
Result<> run_each(const TraceWish& trace, const DropWish& wish, std::uint32_t netns,
                  std::uint64_t most, Context& cx) {
    WEIR_TRY(auto steps, drop_steps(wish));
    TraceEnd end;
    steps.resize(1); // frames and Weir's counters have no packet to show
    steps[0].sink = trace::Sink::kEvent;
    WEIR_TRY(auto session,
             start_session(steps, trace, {.ring_octets = kRingOctets, .stacks = kStacks}, end));
    const TraceOutput output(cx, TraceHeader::of(session, kEventTitle));
    cx.out.text(kEventTitle);
    std::uint64_t shown = 0;
    const auto each = [&](const trace_event& event) {
        const trace::Probe& probe = session.probes().at(event.probe);
        const auto& fields = probe.fields;
        const auto number = [&](DropValue of) { return event.number[fields[of].index]; };
        const trace_text& name = event.text[fields[kDropDevice].index];
        const bool wanted = !reason_name(fields[kDropReason], number(kDropReason)).empty() &&
                            wish.wants({name.octets, strnlen(name.octets, sizeof(name))},
                                       static_cast<std::uint32_t>(number(kDropNetns)), netns);
        if (wanted && (most == 0 || shown < most)) {
            output.show(event_document(event, probe, session.names(), ""));
            shown++;
        }
    };
    while (!end.reached() && (most == 0 || shown < most)) {
        constexpr int kLook = 200;
        WEIR_CHECK(session.tracer().poll(end.wait_ms(kLook), each));
        if (cx.out.flush() != 0) {
            return {}; // nobody reads it any more
        }
    }
    WEIR_CHECK(session.tracer().poll(0, each));
    cx.out.text("\n");
    return show_closing(cx, session);
}

Result<> run_drops(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 1));
    const std::string device = words.empty() ? "" : words.front();
    if (!cx.pins.loaded()) {
        output::note(fmt::format("Weir is not loaded ({}): its own drops are not among these",
                                 cx.pins.base().string()));
    }
    if (options.count("ledger") > 0) {
        WEIR_TRY(const std::string of, operand(words, 0, "DEV"));
        return run_drop_ledger(options, of, cx);
    }
    WEIR_TRY(TraceWish trace, parse_limits(options));
    DropWish wish{.stack = options.count("stack") > 0,
                  .where = trace.choice.where.has_value(),
                  .device = device};
    if (!device.empty()) {
        WEIR_TRY(const auto interface, kernel::find_interface(device));
        wish.index = interface.index;
    }
    WEIR_TRY(wish.by, parse_values(options, "by"));
    const bool each = options.count("each") > 0;
    if (each && wish.by.empty()) {
        wish.by = {named("protocol"), named("saddr"), named("sport"), named("daddr"),
                   named("dport")};
    }
    std::uint64_t most = 0;
    if (options.count("number") > 0) {
        WEIR_TRY(most, parse_number(option_text(options, "number"), "-n", 1, kMostRows));
    }
    WEIR_TRY(double interval, parse_interval(options));
    if (each && interval > 0) {
        return usage("--each: a line for each packet has no interval, -i");
    }
    if (interval == 0 && trace.seconds == 0) {
        interval = 1;
    }
    WEIR_TRY(const auto places, Places::read());
    if (each) {
        return run_each(trace, wish, places.netns(), most, cx);
    }
    WEIR_TRY(const auto steps, drop_steps(wish));
    DropTable table(wish, places, cx);
    return run_rounds(
        cx, steps, trace, {.totals = kTotals, .stacks = wish.stack ? kStacks : 1},
        {.interval = interval},
        [&](trace::Session& session, double seconds) -> Result<> {
            WEIR_TRY(const auto rows, table.next(session));
            show_drops(cx, wish, most, seconds, rows);
            return {};
        },
        [&](trace::Session& session) { return table.begin(session); });
}

void add_drops_options(po::options_description& add) {
    const auto text = [](const char* value) { return po::value<std::string>()->value_name(value); };
    auto option = add.add_options();
    option("ledger", "the balanced ledger of one interface: each stage with what came in, went on "
                     "and was dropped, and what no cause explains");
    option("each", "a line for each packet");
    option("by", text("EXPRS"), "a row for each of these too: 'saddr, daddr, dport', 'protocol'");
    option("stack", "a row for each way into the function, with the kernel's stack");
    option("where", text("EXPR"), "only packets for which it is true: 'daddr == 10.0.0.0/8'");
    option("number,n", text("N"), "at most so many rows; with --each, end after so many packets");
    option("seconds,d", text("S"), "end after so long [when it is interrupted]");
    add_interval(add, "print every so many seconds [1; with -d once, at the end]");
}

} // namespace

const Verb drops{
    .path = "drops",
    .operands = "[DEV]",
    .summary = "which packets are dropped, where and why; the balanced drop ledger of an interface",
    .details =
        R"(Every packet that the kernel drops (tracepoint skb:kfree_skb), by reason, function and interface;
frames that are lost around XDP programs (tracepoints xdp:*); and Weir's own drops by rule or reason,
of its counters. Of all network namespaces; with DEV only of that interface, of this one.

--where, --by and --stack look at the packet, with the words of `weir trace`. What Weir's counters and
xdp:* tell has none to look at: --where and --each leave it out, --by shows it without.

--ledger DEV reads every counter of losses that there is of the interface at the beginning and the end,
puts each lost packet into one stage with its cause, and says what is lost without one.

  weir drops
  weir drops -d 10 --by 'protocol, saddr, dport' -n 20
  weir drops eth0 --stack --where 'dport == 443'
  weir drops --each --where 'daddr == 192.0.2.7'
  weir drops --ledger eth0 -d 10
)",
    .options = add_drops_options,
    .run = run_drops};

} // namespace weir::verbs
