#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/measure.h"
#include "bench/memory.h"

namespace weir::bench {

using Json = nlohmann::ordered_json;

// Version of the result files: their key "schema".
inline constexpr int kResultSchema = 1;

// Where and by what a result was made.
struct Machine {
    std::string kernel;    // "6.1.0-56-amd64", of uname(2)
    std::string processor; // its model name
    std::uint32_t cpus = 0;
    std::string weir; // version and commit of the binary
};
Machine this_machine();

// A program as the kernel took it.
struct ProgramSize {
    std::string name;
    std::string tag;                  // of its instructions
    std::uint32_t verified_insns = 0; // that the verifier looked at
    std::uint32_t jited_bytes = 0;
};

struct CaseResult {
    std::string name;
    std::string what;
    std::string series;
    std::uint64_t x = 0;
    bool routed = false; // the kernel's routing table is a part of it
    ProgramType type = ProgramType::kXdp;
    std::optional<Measured> measured;
    std::string refused; // why there is no figure
};

struct RunResult {
    Machine machine;
    std::string started; // UTC, ISO 8601
    Effort effort;
    std::vector<ProgramSize> programs;
    std::vector<MemoryCost> memory; // of Weir's own maps; none where another program is measured
    std::vector<CaseResult> cases;
};

// What `weir bench run --out` writes.
Json to_json(const RunResult& result);

// Net figures of an earlier result, by case.
Result<std::map<std::string, Figure>> net_figures(std::string_view json);

} // namespace weir::bench
