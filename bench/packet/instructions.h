#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bench/packet/run_result.h"

namespace weir::bench {

// Executed instructions of a packet, by scenario, and the kernel whose JIT made them.
struct Instructions {
    std::string kernel; // release, of uname(2)
    std::map<std::string, std::uint64_t> counts;
    std::set<std::string> routed; // of them, with look-ups of the kernel in its routing table
};

// Takes the figures of a result as counts. Refused if the rounds do not agree: then the clock does
// not count instructions. (QEMU's does with `-icount shift=0`: docs/devel/tcg-icount.rst there.)
Result<Instructions> counted(const RunResult& result);

// A file with such figures for several kernel series: "6.1", "6.12".
class InstructionTable {
public:
    static Result<InstructionTable> parse(std::string_view json);
    std::string to_string() const; // JSON, sorted, a line each: made to be compared line by line

    // Of a scenario under a kernel series ("6.1"); none where the table has none.
    std::optional<std::uint64_t> count(const std::string& series, const std::string& name) const;
    void set(const Instructions& figures) { series_[series_of(figures.kernel)] = figures; }
    // What is more than in the table, one line each; empty: nothing grew. Allowed for, since
    // hash tables are seeded anew at every boot: 3 instructions or 0.3 %; 2 % where the routing
    // table is asked, for a second next hop in front of the one in its chain of neighbours; 2 %
    // under another release of the series. An error where the table has no figures of that series.
    Result<std::vector<std::string>> grown(const Instructions& now) const;

private:
    static std::string series_of(const std::string& kernel); // "6.1.0-56-amd64" -> "6.1"
    std::map<std::string, Instructions> series_;
};

} // namespace weir::bench
