#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernel/btf.h"
#include "kernel/tracefs.h"
#include "maps/trace.h"

namespace weir::trace {

using RecordField = kernel::TracepointField;

// An argument that lies where steps of the machine fetch it: of a USDT probe.
struct PlacedArgument {
    std::vector<trace_step> steps = {};
    std::uint8_t size = 0; // octets
    bool is_signed = false;
    std::string unknown = {}; // how the probe describes it, where no step can fetch it
};

using ValueNames = std::vector<std::pair<std::string, std::int64_t>>;

// What names mean in a probe.
struct Scope {
    const kernel::Btf* types = nullptr;
    std::string of; // the function or tracepoint
    // Name and type; those whose types the kernel does not tell have type 0.
    std::vector<std::pair<std::string, std::uint32_t>> arguments;
    // In one that fires at the return: of what is returned.
    std::optional<std::uint32_t> result;
    ValueNames result_names = {}; // of a BPF program's verdict
    // As many as arguments, where none is in the place that a function's is in.
    std::optional<std::vector<PlacedArgument>> placed = {};
    std::vector<RecordField> record;
    bool user = false;       // pointers point into the process's memory
    bool closes = false;     // `elapsed` is known
    std::string packet = {}; // the argument that saddr, dport and their like are of; "": any
};

// What a number or text of an event is, for showing it.
enum class Shape {
    kUnsigned,
    kSigned,
    kHexadecimal,
    kBool,
    kEnum,
    kText,
    kAddress, // two numbers: IPv6, or IPv4 in it (RFC 4291, 2.5.5.2)
    kKernelStack,
    kUserStack, // two numbers: the stack, and the process that knows its names
    kFunction,  // an address in the kernel's text
};

struct Field {
    std::string name;
    Shape shape = Shape::kUnsigned;
    std::uint32_t index = 0; // of the event's numbers, or of its texts
    ValueNames names = {};   // of an enum's values
};

} // namespace weir::trace
