#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace weir::kernel {

// A type as BTF describes it, without the qualifiers and typedefs around it.
struct BtfType {
    enum class Kind { kVoid, kInteger, kBool, kEnum, kPointer, kArray, kStruct, kFunction, kFloat };
    Kind kind = Kind::kVoid;
    std::uint32_t id = 0;
    std::string name;           // "sk_buff", "int"; "" where it has none
    std::string alias;          // of the innermost typedef around it: "__be32", "u64"; or ""
    std::uint32_t size = 0;     // octets
    bool is_signed = false;     // of integers and enums
    std::uint32_t target = 0;   // what a pointer points to, what an array is of
    std::uint32_t elements = 0; // of an array
};

struct BtfMember {
    std::uint32_t type = 0;
    std::uint32_t offset = 0; // octets from the beginning of the structure that was asked
    std::uint8_t bits = 0;    // width of a bit field, 0: none
    std::uint8_t shift = 0;   // its first bit, counted from the least of the octets at `offset`
};

struct BtfFunction {
    std::vector<std::pair<std::string, std::uint32_t>> parameters; // name, type
    std::uint32_t result = 0;                                      // type; 0: void
    std::uint32_t id = 0; // of the function itself: what fentry is attached to
};

// The types of the running kernel, of its modules and of BPF programs, as far as it tells them
// (/sys/kernel/btf; Documentation/bpf/btf.rst). Names, sizes and places are of this kernel.
class Btf {
public:
    static Result<Btf> of_kernel();
    // By the ids that bpf(2) has for them. A module's are told on top of the kernel's, which must
    // outlive them.
    static bool is_of_kernel(std::uint32_t id);
    static Result<Btf> of_module(std::uint32_t id, const Btf& kernel);
    static Result<Btf> of_program(std::uint32_t id);
    Btf(Btf&&) noexcept;
    Btf& operator=(Btf&&) noexcept;
    ~Btf();

    BtfType type(std::uint32_t id) const;
    std::optional<BtfFunction> function(const std::string& name) const;
    // "": `id` is no function.
    std::string function_name(std::uint32_t id) const;
    // Arguments of a raw tracepoint, by the typedef btf_trace_NAME, without its first one.
    std::optional<BtfFunction> raw_tracepoint(const std::string& name) const;
    std::optional<std::uint32_t> structure(const std::string& name) const;
    // The type "struct NAME *".
    std::optional<std::uint32_t> pointer_to(const std::string& name) const;
    // Also one of a structure without a name in it. nullopt: `id` has none of that name.
    std::optional<BtfMember> member(std::uint32_t id, const std::string& name) const;
    std::vector<std::string> member_names(std::uint32_t id) const;
    // Names of an enum's values.
    std::vector<std::pair<std::string, std::int64_t>> enumerators(std::uint32_t id) const;
    // The enumerator of any enum.
    std::optional<std::int64_t> enumerator(const std::string& name) const;
    std::optional<std::uint32_t> enumeration(const std::string& name) const;

private:
    struct State;
    explicit Btf(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace weir::kernel
