#include "bench/document.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <ctime>
#include <fstream>
#include <thread>

#include "bench/version.h"

namespace weir::bench {
namespace {

// "model name : …" of the first processor.
std::string processor() {
    std::ifstream cpuinfo("/proc/cpuinfo");
    for (std::string line; std::getline(cpuinfo, line);) {
        if (line.compare(0, 10, "model name") == 0) {
            return line.substr(line.find(": ") + 2);
        }
    }
    return "";
}

} // namespace

Origin here_and_now() {
    utsname name{};
    uname(&name);
    return {WEIR_BUILD, name.release, processor(), std::thread::hardware_concurrency(),
            fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))};
}

Json begin_document(const char* kind, const Origin& origin, Json options) {
    return {{"schema", kResultSchema},       {"kind", kind},
            {"weir", origin.weir},           {"kernel", origin.kernel},
            {"processor", origin.processor}, {"cpus", origin.cpus},
            {"started", origin.started},     {"options", std::move(options)}};
}

Json to_json(const Figure& figure) {
    return {{"median", figure.median}, {"lower", figure.lower}, {"upper", figure.upper}};
}

Figure figure_from(const Json& json) {
    return {json.at("median").get<double>(), json.at("lower").get<double>(),
            json.at("upper").get<double>()};
}

} // namespace weir::bench
