#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

// Tracepoints, as tracefs lists and describes them (Documentation/trace/events.rst).
namespace weir::kernel {

struct TracepointField {
    enum class Shape {
        kNumber,
        kText,        // characters in the record
        kDynamicText, // __data_loc: 16 bits of place, 16 bits of length, of characters in the
                      // record
        kOctets,      // anything else
    };
    std::string name;
    std::string type; // "enum skb_drop_reason"
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
    bool is_signed = false;
    Shape shape = Shape::kNumber;
};

struct Tracepoint {
    std::string subsystem;
    std::string event;
    std::string name() const { return subsystem + ":" + event; }
};

// Makes tracefs readable at /sys/kernel/tracing: where nothing is mounted there, by a mount that
// only this process sees and that ends with it.
Result<> reach_tracefs();
// The same of debugfs, at /sys/kernel/debug.
Result<> reach_debugfs();

// Those that match both patterns of a shell, sorted.
Result<std::vector<Tracepoint>> find_tracepoints(const std::string& subsystem,
                                                 const std::string& event);
// Fields of the record, without those that every record has.
Result<std::vector<TracepointField>> fields_of(const Tracepoint& tracepoint);
std::vector<TracepointField> parse_format(const std::string& text);

} // namespace weir::kernel
