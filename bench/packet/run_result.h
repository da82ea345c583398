#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/document.h"
#include "bench/packet/measure.h"
#include "bench/packet/memory.h"

namespace weir::bench {

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
    Origin origin;
    Effort effort;
    std::vector<ProgramSize> programs;
    std::vector<MemoryCost> memory; // of Weir's own maps; none where another program is measured
    std::vector<CaseResult> cases;
};

// What `weir bench run --out` writes.
Json to_json(const RunResult& result);

} // namespace weir::bench
