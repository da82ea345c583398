#include "bench/apps/apps_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/apps/application.h"
#include "bench/cpus.h"

namespace weir::bench {
namespace {

// What rounds of an application gave.
struct AppsSamples {
    std::string refused;
    std::vector<double> rates;
    std::vector<std::vector<double>> latencies_us = {}; // by percentile, then round
};

// A peer in its lab. Members end in reverse order.
struct AppsSeat {
    explicit AppsSeat(const AppsPeer& of) : peer(of) {}

    const AppsPeer& peer;
    std::unique_ptr<AppsLab> apps;
    Device device;
    std::vector<AppsSamples> samples = {}; // by application
};

Result<> set_up(AppsSeat& seat, const std::vector<Application>& wanted, int number, unsigned cpu) {
    WEIR_TRY(auto apps, AppsLab::make(number));
    seat.apps = std::make_unique<AppsLab>(std::move(apps));
    WEIR_CHECK(seat.apps->start_servers(cpu));
    auto device = seat.peer.set_up(*seat.apps);
    for (const Application& each : wanted) {
        seat.samples.push_back(
            {.refused = device ? seat.apps->why_not(each.port) : device.error().message(),
             .rates = {}});
    }
    if (device) {
        seat.device = *std::move(device);
    }
    return {};
}

// What the device has met so far.
struct Passed {
    std::uint64_t received = 0; // by the driver of its interface
    DeviceBooks books;          // of those that keep them
};

Result<Passed> read_passed(const AppsSeat& seat) {
    Passed passed;
    WEIR_TRY(passed.received, seat.apps->lab().received());
    if (seat.device.books) {
        WEIR_TRY(passed.books, seat.device.books());
    }
    return passed;
}

// What TCP has counted at either end since the lab was laid, to tell a lost segment from a server
// that stood still.
std::string tcp_so_far(const Lab& lab) {
    std::string said;
    for (const auto& [name, place] :
         {std::pair("client", Lab::Place::kGenerator), {"server", Lab::Place::kSink}}) {
        if (!lab.enter(place)) {
            continue;
        }
        const auto counted = run_process({"nstat", "-ajsz", "TcpActiveOpens", "TcpPassiveOpens",
                                          "TcpRetransSegs", "TcpExtListenDrops"});
        const Json json = counted ? Json::parse(*counted, nullptr, false) : Json();
        if (!json.is_object()) {
            continue;
        }
        const Json kernel = json.value("kernel", Json::object());
        const auto count = [&](const char* of) { return kernel.value(of, std::uint64_t{0}); };
        said += fmt::format("; the {}'s TCP so far: {} connections opened, {} taken, {} segments "
                            "sent again, {} connections dropped for a full queue",
                            name, count("TcpActiveOpens"), count("TcpPassiveOpens"),
                            count("TcpRetransSegs"), count("TcpExtListenDrops"));
    }
    return said;
}

// "" if every request was answered, and the frames of the run took the way that they should.
std::string why_void(const AppsSeat& seat, const AppsSample& sample, const Passed& before,
                     const Passed& after) {
    if (sample.errors > 0 || sample.frames == 0) {
        return fmt::format("void: {} answers, {} errors", sample.frames, sample.errors) +
               tcp_so_far(seat.apps->lab());
    }
    const std::uint64_t through = after.received - before.received;
    if (seat.peer.direct != (through < sample.frames)) {
        return fmt::format("void: {} frames went through the device, of {} at least", through,
                           sample.frames);
    }
    if (seat.device.books) {
        DeviceBooks books = after.books;
        books.handled -= before.books.handled;
        if (books.unaccounted != 0 || books.handled < sample.frames) {
            return fmt::format("void: {} frames handed on of {} at least, missing from the ledger "
                               "{}",
                               books.handled, sample.frames, books.unaccounted);
        }
    }
    return "";
}

Result<> measure(const AppsSeat& seat, const Application& application, const AppsOptions& options,
                 AppsSamples& samples) {
    WEIR_TRY(const Passed before, read_passed(seat));
    WEIR_CHECK(seat.apps->lab().enter(Lab::Place::kGenerator));
    const auto sample = application.run(seat.peer.direct ? kDirect : kVip, options);
    if (!sample) {
        samples.refused = sample.error().message();
        return {};
    }
    WEIR_TRY(const Passed after, read_passed(seat));
    samples.refused = why_void(seat, *sample, before, after);
    samples.rates.push_back(sample->rate);
    samples.latencies_us.resize(sample->latency_us.size());
    for (std::size_t i = 0; i < sample->latency_us.size(); i++) {
        samples.latencies_us[i].push_back(sample->latency_us[i]);
    }
    return {};
}

AppsMeasured measured_of(const AppsSamples& samples, const AppsSamples* direct) {
    AppsMeasured measured;
    measured.rate = figure_of(samples.rates);
    for (const auto& percentile : samples.latencies_us) {
        measured.latency_us.push_back(figure_of(percentile));
    }
    if (direct != nullptr && direct != &samples) {
        measured.ratio = ratio_of(samples.rates, direct->rates);
    }
    return measured;
}

std::vector<AppsCase> cases_of(const std::vector<AppsSeat>& seats,
                               const std::vector<Application>& wanted) {
    std::vector<AppsCase> cases;
    for (std::size_t i = 0; i < wanted.size(); i++) {
        const auto direct = std::find_if(seats.begin(), seats.end(), [&](const AppsSeat& seat) {
            return seat.peer.direct && seat.samples[i].refused.empty();
        });
        for (const AppsSeat& seat : seats) {
            AppsCase each{.application = wanted[i].name,
                          .peer = seat.peer.name,
                          .what = seat.peer.what,
                          .mode = seat.peer.mode,
                          .bulk = wanted[i].bulk};
            const AppsSamples& samples = seat.samples[i];
            if (samples.refused.empty()) {
                each.measured =
                    measured_of(samples, direct == seats.end() ? nullptr : &direct->samples[i]);
            } else {
                each.refused = samples.refused;
            }
            cases.push_back(std::move(each));
        }
    }
    return cases;
}

} // namespace

Result<std::vector<AppsCase>> run_apps(const std::vector<AppsPeer>& peers,
                                       const AppsOptions& options,
                                       const std::function<void(const std::string&)>& progress) {
    std::vector<Application> wanted = applications();
    std::erase_if(wanted, [&](const Application& each) {
        return std::find(options.applications.begin(), options.applications.end(), each.name) ==
               options.applications.end();
    });
    // Clients on one CPU, servers on another, where there are two.
    WEIR_TRY(const auto cpus, allowed_cpus());
    WEIR_CHECK(stay_on({cpus.back()}));
    std::vector<AppsSeat> seats;
    seats.reserve(peers.size()); // devices keep references to their labs
    for (const AppsPeer& peer : peers) {
        progress(peer.name);
        seats.emplace_back(peer);
        WEIR_CHECK(set_up(seats.back(), wanted, static_cast<int>(seats.size()), cpus.front()));
    }
    for (std::uint32_t round = 1; round <= options.rounds; round++) {
        for (std::size_t i = 0; i < wanted.size(); i++) {
            for (AppsSeat& seat : seats) {
                if (!seat.samples[i].refused.empty()) {
                    continue;
                }
                progress(fmt::format("{}, round {} of {}: {}", wanted[i].name, round,
                                     options.rounds, seat.peer.name));
                WEIR_CHECK(measure(seat, wanted[i], options, seat.samples[i]));
            }
        }
    }
    return cases_of(seats, wanted);
}

} // namespace weir::bench
