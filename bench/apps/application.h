#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "bench/apps/apps_result.h"

namespace weir::bench {

// What one run of a client found.
struct AppsSample {
    double rate = 0;                // requests or bits per second
    std::vector<double> latency_us; // by kPercentiles; none of a bulk transfer
    std::uint64_t frames = 0;       // that the server cannot have done with less of
    std::uint64_t errors = 0;       // requests without a right answer
};

// A client of the bench's servers.
struct Application {
    std::string name; // as `weir bench apps --application` takes it
    std::string what;
    std::uint16_t port = 0; // TCP
    bool bulk = false;
    // In the client's namespace, where the process is. Refused if anything that it asked for was
    // not answered.
    std::function<Result<AppsSample>(const std::string& address, const AppsOptions&)> run = nullptr;
};

std::vector<Application> applications();

} // namespace weir::bench
