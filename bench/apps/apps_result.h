#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/document.h"
#include "bench/net/peers.h"

namespace weir::bench {

// Of the requests of a round, that a latency is the highest of.
inline constexpr std::array kPercentiles = {50.0, 90.0, 99.0, 99.9};

struct AppsMeasured {
    Figure rate;                    // requests or bits per second
    std::vector<Figure> latency_us; // of a request, by kPercentiles; none of a bulk transfer
    std::optional<Figure> ratio;    // of the rate to the direct one's, round by round
};

struct AppsCase {
    std::string application;
    std::string peer;
    std::string what;
    NetMode mode{};
    bool bulk = false; // the rate is of bits, not of requests
    std::optional<AppsMeasured> measured = {};
    std::string refused = {}; // why there is no figure

    std::string name() const; // "http/weir-ipip/native"
};

struct AppsOptions {
    std::vector<std::string> applications; // by name
    std::vector<NetMode> modes = {NetMode::kNative};
    std::uint32_t rounds = 5;
    std::uint32_t seconds = 1; // of a measurement
    std::uint32_t connections = 32;
};

struct AppsResult {
    Origin origin;
    AppsOptions options;
    std::vector<AppsCase> cases;
};

Json to_json(const AppsResult& result);

} // namespace weir::bench
