#include <fmt/format.h>

#include "presets/preset.h"
#include "verbs/all.h"
#include "verbs/preset_events.h"
#include "verbs/trace_file.h"
#include "verbs/trace_lines.h"
#include "verbs/tracing.h"

namespace weir::verbs {
namespace {

// --args alone: all arguments; --args EXPRS: these; then what --ret and --stack ask for.
Result<std::vector<trace::Step>> steps(const po::variables_map& options, TraceWish& wish) {
    WEIR_TRY(auto values, parse_values(options, "args"));
    if (options.count("args") > 0 && values.empty()) {
        if (options.count("stack") + options.count("ustack") > 0) {
            return usage("--stack: name the arguments too, --args 'a, b'");
        }
        return steps_of(wish.sources, {.everything = true, .sink = trace::Sink::kEvent});
    }
    for (const char* each : {"stack", "ustack"}) {
        if (options.count(each) > 0) {
            values.push_back(named(each));
        }
    }
    if (options.count("ret") > 0) {
        for (trace::Source& source : wish.sources) {
            const auto returning = trace::return_of(source);
            if (!returning) {
                return usage(fmt::format("--ret: {} does not return", source.text));
            }
            source = *returning;
        }
        const bool calls = wish.sources.front().kind == trace::Source::Kind::kSyscallReturn;
        values.push_back(named(calls ? "ret" : "retval"));
    }
    return steps_of(wish.sources, {.values = std::move(values), .sink = trace::Sink::kEvent});
}

Result<> resolve(const std::string& call, Context& cx) {
    WEIR_TRY(const auto kernel, trace::Kernel::read());
    const std::string symbol = trace::syscall_symbol(call, kernel);
    if (symbol.empty()) {
        return fail(fmt::format("'{}': the kernel has no such system call", call));
    }
    cx.out.text(symbol + "\n");
    cx.out.document({{"call", call}, {"symbol", symbol}});
    return {};
}

Result<> run_trace(const po::variables_map& options, const Words& words, Context& cx) {
    if (options.count("resolve-syscall") > 0) {
        WEIR_CHECK(at_most(words, 0));
        return resolve(option_text(options, "resolve-syscall"), cx);
    }
    if (options.count("read") > 0) {
        WEIR_CHECK(at_most(words, 0));
        for (const auto& [name, value] : options) {
            if (name != "read" && name != "json" && name != "pins") {
                return usage(fmt::format("--read: not with --{}: what the file holds is printed as "
                                         "it was",
                                         name));
            }
        }
        return read_trace(option_text(options, "read"), cx);
    }
    WEIR_TRY(const auto preset, presets::wished("trace", words));
    WEIR_TRY(TraceWish wish, preset ? parse_limits(options) : parse_wish(options, words));
    std::uint64_t most = 0;
    if (options.count("number") > 0) {
        WEIR_TRY(most, parse_number(option_text(options, "number"), "-n", 1, 1'000'000'000));
    }
    std::vector<trace::Step> wanted;
    if (preset) {
        for (const char* each : {"args", "ret", "stack", "ustack", "say"}) {
            if (options.count(each) > 0) {
                return usage(fmt::format("--{}: {} has its own columns", each, words.front()));
            }
        }
        wanted = preset->steps;
    } else {
        WEIR_TRY(wanted, steps(options, wish));
    }
    TraceEnd end;
    WEIR_TRY(const std::uint32_t ring, parse_ring(options, kRingOctets));
    const kernel::Tracer::Room room{.ring_octets = ring, .stacks = kStacks};
    WEIR_TRY(auto session, start_session(wanted, wish, room, end));
    const TraceHeader header =
        TraceHeader::of(session, preset ? preset_title(*preset) : kEventTitle);
    std::optional<TraceFile> file;
    if (!wish.file.empty()) {
        WEIR_TRY(file, TraceFile::create(wish.file, header));
    }
    const TraceOutput output(cx, header);
    cx.out.text(header.title);
    const auto put = [&](const output::Json& document) {
        if (file) {
            file->write(document);
        }
        output.show(document);
    };
    const std::string say = option_text(options, "say");
    std::uint64_t shown = 0;
    const auto each = [&](const trace_event& event) {
        if (most == 0 || shown < most) {
            const trace::Probe& probe = session.probes().at(event.probe);
            if (preset) {
                const PresetEvent made =
                    preset_event(*preset, event, probe, session.names(), header);
                if (file) {
                    file->write(made.document, made.line);
                }
                cx.out.text(made.line);
                cx.out.line(made.document);
            } else {
                put(event_document(event, probe, session.names(), say));
            }
            shown++;
        }
    };
    while (!end.reached() && (most == 0 || shown < most)) {
        constexpr int kLook = 200;
        WEIR_CHECK(session.tracer().poll(end.wait_ms(kLook), each));
        WEIR_CHECK(file ? file->flush() : Result<>{});
        if (cx.out.flush() != 0) {
            return {}; // nobody reads it any more
        }
    }
    WEIR_CHECK(session.tracer().poll(0, each));
    WEIR_TRY(auto closing, close_session(session));
    put({{"closing", std::move(closing)}});
    return file ? file->flush() : Result<>{};
}

void add_trace_options(po::options_description& add) {
    auto option = add.add_options();
    option("args", po::value<std::string>()->value_name("EXPRS")->implicit_value("", "all of them"),
           "arguments and fields, by the kernel's types: 'skb->len, skb->dev->name'");
    option("ret", "at the return, with what is returned");
    option("stack", "with the kernel's stack");
    option("ustack", "with the process's stack");
    option("say", po::value<std::string>()->value_name("TEXT"), "a text behind every line");
    option("number,n", po::value<std::string>()->value_name("N"), "end after so many events");
    option("ring", po::value<std::string>()->value_name("SIZE"),
           "room for events that wait to be shown: 64K, 16M [4M]");
    option("read", po::value<std::string>()->value_name("FILE"),
           "print what is in a file of -w, of any verb, as it was printed then");
    option("resolve-syscall", po::value<std::string>()->value_name("CALL"),
           "print the function that a system call is, and nothing else");
    add_tracing(add);
}

} // namespace

const Verb trace{
    .path = "trace",
    .operands = "SOURCE...|@PRESET",
    .summary = "a line for every event in the kernel, with arguments by its own types",
    .details =
        R"(SOURCE is fn:FUNCTION or ret:FUNCTION (its return), tp:SUBSYSTEM:EVENT, raw:TRACEPOINT (with
its arguments by type), sys:CALL or sysret:CALL, u:FILE:SYMBOL or uret:FILE:SYMBOL, usdt:FILE:PROVIDER:NAME
or usdt:FILE:NAME, xdp:PROG or tc:PROG (a loaded BPF program: a name or id:N; @exit: its return); * and ?
stand for anything, as in a shell. Values are expressions of C over the arguments, what they point to,
and: pid, tid, uid, cpu, comm, cgroup, time, func, stack, ustack, retval, arg0 to arg11, str(P), the text
there; of what carries a packet
(struct sk_buff, sock, xdp_buff) saddr, daddr, sport, dport, protocol, family, dev, netns, mark, and
packet, its address.

-w keeps the documents of --json in a file, a line each; a session that is killed leaves it readable up to
its last whole line. --read prints such a file, as text or with --json.

Everything is detached when the command ends, however it ends. It says then what was lost, what could
not be probed and why, and what a hit cost.

  weir trace tp:skb:kfree_skb --args 'reason, saddr, daddr, dport' --where 'reason != NOT_SPECIFIED'
  weir trace fn:ip_rcv --args 'skb->len, skb->dev->name' --stack -n 10
  weir trace sys:clone --say 'Hello, World!'
  weir trace xdp:weir_ingress@exit --args 'retval, saddr, dport, dev' --where 'retval == XDP_DROP'
  weir trace usdt:/usr/bin/python3:python:gc__start --args arg0
)",
    .options = add_trace_options,
    .run = run_trace};

} // namespace weir::verbs
