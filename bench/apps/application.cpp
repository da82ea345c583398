#include "bench/apps/application.h"

#include <fmt/format.h>

#include "bench/apps/apps_lab.h"
#include "bench/apps/scratch_folder.h"
#include "bench/process.h"

namespace weir::bench {
namespace {

constexpr double kMicrosecond = 1e6; // of a second

// wrk hands its counts to a script; its own text has rounded them.
std::string wrk_script() {
    return fmt::format(R"(done = function(summary, latency, requests)
    local at = {{}}
    for _, percent in ipairs({{ {} }}) do
        table.insert(at, latency:percentile(percent))
    end
    local errors = summary.errors
    io.write(string.format('\n{{"requests": %d, "us": %d, "errors": %d, "latency_us": [%s]}}',
        summary.requests, summary.duration,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        table.concat(at, ", ")))
end
)",
                       fmt::join(kPercentiles, ", "));
}

Result<AppsSample> read_wrk(const std::string& said) {
    const std::size_t begin = said.rfind("\n{");
    try {
        const Json json = Json::parse(said.substr(begin == std::string::npos ? 0 : begin));
        const auto requests = json.at("requests").get<std::uint64_t>();
        return AppsSample{.rate = kMicrosecond * static_cast<double>(requests) /
                                  json.at("us").get<double>(),
                          .latency_us = json.at("latency_us").get<std::vector<double>>(),
                          .frames = requests,
                          .errors = json.at("errors").get<std::uint64_t>()};
    } catch (const Json::exception& error) {
        return fail(std::string("reading what wrk says: ") + error.what());
    }
}

Result<AppsSample> wrk(const std::string& address, const AppsOptions& options, bool reconnect) {
    WEIR_TRY(const auto scratch, ScratchFolder::make());
    WEIR_CHECK(scratch.write("done.lua", wrk_script()));
    std::vector<std::string> words = {"wrk",
                                      "-t1",
                                      fmt::format("-c{}", options.connections),
                                      fmt::format("-d{}s", options.seconds),
                                      "-s",
                                      scratch.path() + "/done.lua"};
    if (reconnect) {
        words.insert(words.end(), {"-H", "Connection: close"});
    }
    words.push_back(fmt::format("http://{}:{}/", address, kHttpPort));
    WEIR_TRY(const std::string said, run_process(words));
    return read_wrk(said);
}

Result<AppsSample> iperf3(const std::string& address, const AppsOptions& options) {
    constexpr std::uint64_t kLargestFrame = 1514;
    WEIR_TRY(const std::string said,
             run_process({"iperf3", "-c", address, "-p", std::to_string(kIperfPort), "-J", "-t",
                          std::to_string(options.seconds)}));
    try {
        const Json received = Json::parse(said).at("end").at("sum_received");
        return AppsSample{.rate = received.at("bits_per_second").get<double>(),
                          .latency_us = {},
                          .frames = received.at("bytes").get<std::uint64_t>() / kLargestFrame,
                          .errors = 0};
    } catch (const Json::exception& error) {
        return fail(std::string("reading what iperf3 says: ") + error.what());
    }
}

} // namespace

std::vector<Application> applications() {
    return {{.name = "http",
             .what = "wrk asks nginx over connections that stay",
             .port = kHttpPort,
             .run = [](const auto& address,
                       const auto& options) { return wrk(address, options, false); }},
            {.name = "http-connect",
             .what = "wrk asks nginx, a connection for each request",
             .port = kHttpPort,
             .run = [](const auto& address,
                       const auto& options) { return wrk(address, options, true); }},
            {.name = "iperf3",
             .what = "iperf3 sends to its server, one connection",
             .port = kIperfPort,
             .bulk = true,
             .run = iperf3}};
}

} // namespace weir::bench
